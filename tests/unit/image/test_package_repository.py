"""The index of the offline package repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.core.errors import ConfigError
from harness.image.package_repository import DebPackage, index_entry, read_package

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="this host has no dpkg-deb")


def test_an_index_entry_is_complete(tmp_path: Path) -> None:
    deb = tmp_path / "jq_1_amd64.deb"
    deb.write_bytes(b"12345")
    entry = index_entry("Package: jq\nVersion: 1\n\n", deb)
    assert entry.splitlines() == [
        "Package: jq",
        "Version: 1",
        "Filename: ./jq_1_amd64.deb",
        "Size: 5",
        "SHA256: 5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5",
    ]


@needs_dpkg
def test_a_package_is_read_with_its_name(tmp_path: Path) -> None:
    control = tmp_path / "tree/DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text("Package: lab-motd\nVersion: 1\nArchitecture: all\nMaintainer: lab\nDescription: motd\n")
    control.parent.chmod(0o755)
    deb = tmp_path / "other-name.deb"
    subprocess.run(["dpkg-deb", "--build", tmp_path / "tree", deb], check=True, capture_output=True, timeout=60)
    package = read_package(deb, "lab.yaml: payload.packages")
    assert package.name == "lab-motd"
    assert "Filename: ./other-name.deb\n" in package.entry


@needs_dpkg
def test_what_is_no_package_is_an_error_at_its_key(tmp_path: Path) -> None:
    deb = tmp_path / "page.deb"
    deb.write_text("<html>")
    with pytest.raises(ConfigError, match=r"page\.deb is not a package") as caught:
        read_package(deb, "lab.yaml: payload.packages")
    assert "lab.yaml: payload.packages" in str(caught.value)


def test_a_package_is_known_by_what_it_provides() -> None:
    entry = "Package: inetutils-telnet\nProvides: telnet, telnet-client (= 0.17)\n"
    assert DebPackage("inetutils-telnet", entry).names == {"inetutils-telnet", "telnet", "telnet-client"}
    assert DebPackage("jq", "Package: jq\n").names == {"jq"}
