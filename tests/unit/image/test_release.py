from __future__ import annotations

from typing import Any

import pytest

from harness.config.model import SeedSource, SeedsSpec
from harness.core.errors import UsageError
from harness.image.release import Release, guest_release

DEBIAN_12 = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
DEBIAN_13 = {"ID": "debian", "VERSION_CODENAME": "trixie"}
UBUNTU_24 = {"ID": "ubuntu", "VERSION_CODENAME": "noble", "UBUNTU_CODENAME": "noble"}
MINT = {"ID": "linuxmint", "ID_LIKE": "ubuntu debian", "VERSION_CODENAME": "wilma", "UBUNTU_CODENAME": "noble"}
FEDORA = {"ID": "fedora", "VERSION_CODENAME": "", "PRETTY_NAME": "Fedora Linux 41"}


def seeds(**values: Any) -> SeedsSpec:
    return SeedsSpec(source=SeedSource.BUILT, directory="seeds", **values)


@pytest.mark.parametrize(
    ("os_info", "release"),
    [
        (DEBIAN_12, Release("debian", "bookworm")),
        (DEBIAN_13, Release("debian", "trixie")),
        (UBUNTU_24, Release("ubuntu", "noble")),
        (MINT, Release("ubuntu", "noble")),
    ],
)
def test_the_guests_have_the_hosts_release(os_info: dict[str, str], release: Release) -> None:
    assert guest_release(seeds(), os_info) == release


def test_the_lab_file_wins() -> None:
    assert guest_release(seeds(distribution="ubuntu", suite="noble"), DEBIAN_12) == Release("ubuntu", "noble")
    assert guest_release(seeds(suite="trixie"), DEBIAN_12) == Release("debian", "trixie")
    assert guest_release(seeds(distribution="debian", suite="bookworm"), {}) == Release("debian", "bookworm")


@pytest.mark.parametrize(
    ("named", "os_info", "message"),
    [
        ({}, FEDORA, "Fedora Linux 41"),
        ({}, {}, "unknown"),
        ({"distribution": "ubuntu"}, DEBIAN_12, "debian bookworm"),
        ({"suite": "noble"}, FEDORA, "Fedora"),
    ],
)
def test_an_unknown_release_is_an_error(named: dict[str, str], os_info: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        guest_release(seeds(**named), os_info)
    assert message in caught.value.detail
    assert "seeds: {distribution:" in caught.value.remedy
