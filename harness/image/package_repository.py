"""Offline package repository of the payload: `.deb` files and their index."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import ConfigError, HostError
from harness.system.process import run


@dataclass(frozen=True)
class DebPackage:
    """A package's name, and its paragraph of the index."""

    name: str
    entry: str

    @property
    def names(self) -> frozenset[str]:
        """Its name and those that it provides."""
        lines = self.entry.splitlines()
        provided = next((line.partition(":")[2] for line in lines if line.startswith("Provides:")), "")
        return frozenset([self.name, *(part.split()[0] for part in provided.split(",") if part.strip())])


def read_package(deb: Path, where: str) -> DebPackage:
    """Return the name and the index paragraph of a package.

    Args:
        where: Who names the file, for the error.

    Raises:
        ConfigError: dpkg cannot read it.
    """
    fields = run(("dpkg-deb", "--field", deb), timeout_s=60)
    name = next((line.partition(":")[2].strip() for line in fields.stdout.splitlines() if line[:8] == "Package:"), "")
    if fields.returncode != 0 or not name:
        raise ConfigError(
            f"{deb.name} is not a package", where=where, detail=fields.stderr, remedy="give a .deb file for amd64"
        )
    return DebPackage(name, index_entry(fields.stdout, deb))


def index_entry(control: str, deb: Path) -> str:
    """Return the paragraph of a `Packages` index for one package.

    Args:
        control: The package's control fields in the format of `dpkg-deb --field`.
        deb: The package file, for its name, size and SHA-256.
    """
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    return f"{control.strip()}\nFilename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"


def write_index(directory: Path, expected: tuple[str, ...]) -> int:
    """Write `Packages` and `expected` beside the `.deb` files; return the package count.

    `expected` holds the names of the packages that a guest must have, one per line.

    Raises:
        HostError: There is no package, or dpkg cannot read one.
    """
    paragraphs = []
    for deb in sorted(directory.glob("*.deb")):
        fields = run(("dpkg-deb", "--field", deb), timeout_s=60)
        if fields.returncode != 0:
            raise HostError(
                f"{deb.name} is not a package", detail=fields.stderr, remedy="run `lab setup` again: a download failed"
            )
        paragraphs.append(index_entry(fields.stdout, deb))
    if not paragraphs:
        raise HostError(
            "the operations packages were not downloaded",
            where=str(directory),
            remedy="check that the host's package sources serve " + ", ".join(expected),
        )
    (directory / "Packages").write_text("\n".join(paragraphs), encoding="utf-8", newline="\n")
    (directory / "expected").write_text("".join(f"{name}\n" for name in expected), encoding="utf-8", newline="\n")
    return len(paragraphs)
