"""The offline package repository of the payload: a directory of `.deb` files with its index."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.core.errors import HostError
from harness.system.process import run


def index_entry(control: str, deb: Path) -> str:
    """Return the paragraph of a `Packages` index for one package.

    Args:
        control: The package's control fields, as `dpkg-deb --field` prints them.
        deb: The package; its name, size and SHA-256 complete the paragraph.
    """
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    return f"{control.strip()}\nFilename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"


def write_index(directory: Path, expected: tuple[str, ...]) -> int:
    """Leave `Packages` and `expected` beside the `.deb` files of a directory; return the number of packages.

    `expected` holds the names that a guest has to have in the end, one per line.

    Raises:
        HostError: There is no package, or one that dpkg cannot read.
    """
    paragraphs = []
    for deb in sorted(directory.glob("*.deb")):
        answer = run(("dpkg-deb", "--field", deb), timeout_s=60)
        if answer.returncode != 0:
            raise HostError(
                f"{deb.name} is not a package", said=answer.stderr, remedy="run `lab setup` again: a download broke"
            )
        paragraphs.append(index_entry(answer.stdout, deb))
    if not paragraphs:
        raise HostError(
            "the operations packages were not downloaded",
            where=str(directory),
            remedy="check that the host's package sources serve " + ", ".join(expected),
        )
    (directory / "Packages").write_text("\n".join(paragraphs), encoding="utf-8", newline="\n")
    (directory / "expected").write_text("".join(f"{name}\n" for name in expected), encoding="utf-8", newline="\n")
    return len(paragraphs)
