"""Which distribution the guests are: what the lab file names, else what the host itself is."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from harness.config.model import SeedsSpec
from harness.core.errors import UsageError

_DISTRIBUTIONS = ("debian", "ubuntu")


@dataclass(frozen=True)
class Release:
    """A distribution and one of its releases by its code name: `debian`, `bookworm`."""

    distribution: str
    suite: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.suite}"


def os_release() -> dict[str, str]:
    """Return what this host's os-release(5) says; nothing where there is none."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def own_release(told: Mapping[str, str]) -> Release | None:
    """Return what that host's package sources serve, by its os-release; None where it is neither of the two.

    A distribution that is made of Ubuntu's packages has its own code name, and Ubuntu's in `UBUNTU_CODENAME`.
    """
    if told.get("UBUNTU_CODENAME"):
        return Release("ubuntu", told["UBUNTU_CODENAME"])
    name, suite = told.get("ID", ""), told.get("VERSION_CODENAME", "")
    return Release(name, suite) if name in _DISTRIBUTIONS and suite else None


def guest_release(seeds: SeedsSpec, told: Mapping[str, str]) -> Release:
    """Return what the guests are made of.

    Args:
        seeds: Part of the lab file; what it names wins.
        told: The host's os-release.

    Raises:
        UsageError: The lab file leaves open what the host cannot tell.
    """
    own = own_release(told)
    distribution = seeds.distribution or (own.distribution if own else "")
    suite = seeds.suite or (own.suite if own and own.distribution == distribution else "")
    if distribution and suite:
        return Release(distribution, suite)
    raise UsageError(
        "it is not known which distribution the guests shall be",
        where="seeds",
        said=f"this host is {own or told.get('PRETTY_NAME') or 'of an unknown kind'}",
        remedy="name both in the lab file, for example `seeds: {distribution: debian, suite: bookworm}`",
    )
