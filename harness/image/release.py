"""Release of the guests: from the lab file, otherwise the host's own."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from harness.config.model import SeedsSpec
from harness.core.errors import UsageError

_DISTRIBUTIONS = ("debian", "ubuntu")


@dataclass(frozen=True)
class Release:
    """A distribution and the code name of a release: `debian`, `bookworm`."""

    distribution: str
    suite: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.suite}"


def os_release() -> dict[str, str]:
    """Return this host's os-release(5); {} if it has none."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def own_release(os_info: Mapping[str, str]) -> Release | None:
    """Return the release that a host's package sources serve, by its os-release.

    A derivative of Ubuntu has its own code name, and Ubuntu's in `UBUNTU_CODENAME`. None for other distributions.
    """
    if os_info.get("UBUNTU_CODENAME"):
        return Release("ubuntu", os_info["UBUNTU_CODENAME"])
    name, suite = os_info.get("ID", ""), os_info.get("VERSION_CODENAME", "")
    return Release(name, suite) if name in _DISTRIBUTIONS and suite else None


def guest_release(seeds: SeedsSpec, os_info: Mapping[str, str]) -> Release:
    """Return the release of the guests.

    Args:
        seeds: Part of the lab file; its values win.
        os_info: The host's os-release.

    Raises:
        UsageError: Neither the lab file nor the host determines it.
    """
    own = own_release(os_info)
    distribution = seeds.distribution or (own.distribution if own else "")
    suite = seeds.suite or (own.suite if own and own.distribution == distribution else "")
    if distribution and suite:
        return Release(distribution, suite)
    raise UsageError(
        "the distribution of the guests is unknown",
        where="seeds",
        detail=f"this host is {own or os_info.get('PRETTY_NAME') or 'unknown'}",
        remedy="name both in the lab file, for example `seeds: {distribution: debian, suite: bookworm}`",
    )
