"""The index of the offline package repository."""

from __future__ import annotations

from pathlib import Path

from harness.image.package_repository import index_entry


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
