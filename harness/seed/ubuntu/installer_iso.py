"""Copy an Ubuntu ISO with boot menus of the same length.

Boot records, partition tables and the appended partition of the EFI firmware stay what they are, so that the copy boots
where the original does: by BIOS and UEFI, as a CD and as a disk.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from harness.core.errors import SeedError
from harness.core.files import open_regular_file
from harness.core.private import make_private_directory
from harness.seed.build import not_as_written, unwritable
from harness.seed.foreign.boot_rules import boot_findings
from harness.seed.foreign.layout import bios_menu
from harness.seed.inspect import reading
from harness.seed.ubuntu.menu import TITLE
from harness.seed.ubuntu.patches import Patch, patches_of

_BLOCK = 512 << 10  # larger ones are slower: each is fresh memory


def make_installer_iso(source: Path, sha256: str, target: Path, say: Callable[[str], None]) -> None:
    """Write the installer ISO of the lab unless it is up to date.

    Args:
        source: An unmodified live-server ISO of Ubuntu.
        sha256: Its digest.
        target: The installer ISO.
        say: Receives a line.

    Raises:
        SeedError: The source is another file, the menu does not fit, or the ISO cannot be written.
    """
    with reading(source) as iso:
        patches = patches_of(iso)
    try:
        if _is_current(target, source, sha256, patches):
            say(f"{target.name} is up to date")
            return
        _write(source, sha256, target, patches)
    except OSError as error:
        raise unwritable("the installer ISO", target, error) from error
    changed = sum(a != b for patch in patches for a, b in zip(patch.old, patch.new, strict=True))
    names = ", ".join(f"/{patch.path}" for patch in patches)
    say(f"{target.name}: {target.stat().st_size >> 20} MiB, {changed} bytes changed, in {names}")


def _is_current(target: Path, source: Path, sha256: str, patches: Sequence[Patch]) -> bool:
    """Return whether the target is the source but for the patches; read it whole.

    Raises:
        SeedError: A file exists that this project did not build.
    """
    if not os.path.lexists(target):
        return False
    try:
        with reading(target) as iso:
            menu = bios_menu(iso)
        ours = menu is not None and menu.entry is not None and menu.entry.title == TITLE
        reason = "its boot menu is not of this project"
    except SeedError as error:
        ours, reason = False, error.what
    if not ours:
        raise SeedError(
            "is not an installer ISO that this project built; it was not changed",
            where=str(target),
            detail=reason,
            remedy="move it away and run `lab seed` again",
        )
    if target.stat().st_size != source.stat().st_size:
        return False
    original = hashlib.sha256()
    wrong = False
    for start, block in _blocks(target):
        wrong = wrong or _part(patches, start, block, new=True) != block
        original.update(_part(patches, start, block, new=False))
    return not wrong and original.hexdigest() == sha256


def _write(source: Path, sha256: str, target: Path, patches: Sequence[Patch]) -> None:
    temporary = target.with_name(f".{target.name}.new")
    make_private_directory(target.parent)
    try:
        found = _copy(source, temporary, patches)
        if found != sha256:
            raise SeedError(
                f"its SHA-256 is {found}, and the lab file says {sha256}",
                where=str(source),
                remedy="download it again, or correct seeds.sha256 by Ubuntu's list SHA256SUMS",
            )
        _verify(source, temporary, patches)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _copy(source: Path, target: Path, patches: Sequence[Patch]) -> str:
    """Copy with the patches; return the digest of the source.

    The digest is computed beside the writing.
    """
    digest = hashlib.sha256()
    with ThreadPoolExecutor(max_workers=1) as pool, target.open("wb") as stream:
        last: Future[None] | None = None
        for start, block in _blocks(source):
            if last is not None:
                last.result()
            last = pool.submit(digest.update, block)
            stream.write(_part(patches, start, block, new=True))
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


def _verify(source: Path, target: Path, patches: Sequence[Patch]) -> None:
    """Read the copy back.

    It has to differ where that is meant only, and its menu has to install by itself.
    """
    pairs = zip(_blocks(source), _blocks(target), strict=False)
    same = all(_part(patches, start, old, new=True) == new for (start, old), (_, new) in pairs)
    with reading(target) as iso:
        wrong = [str(finding) for finding in boot_findings(iso) if finding.mistake]
    if not same or source.stat().st_size != target.stat().st_size:
        wrong.append("it is not the bytes that were written")
    if wrong:
        raise not_as_written("the installer ISO", target, wrong)


def _blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of each block of a file."""
    start = 0
    with open_regular_file(path) as stream:
        while block := stream.read(_BLOCK):
            yield start, block
            start += len(block)


def _part(patches: Sequence[Patch], start: int, block: bytes, *, new: bool) -> bytes:
    """Return a block with the new, or the old, bytes of the patches."""
    touching = [one for one in patches if one.offset < start + len(block) and start < one.offset + len(one.old)]
    if not touching:
        return block
    changed = bytearray(block)
    for patch in touching:
        data = patch.new if new else patch.old
        begin, end = max(patch.offset, start), min(patch.offset + len(data), start + len(block))
        changed[begin - start : end - start] = data[begin - patch.offset : end - patch.offset]
    return bytes(changed)
