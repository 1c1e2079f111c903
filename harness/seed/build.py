"""Write seed ISOs to disk: temporary name, read back, then rename."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.core.errors import SeedError
from harness.core.private import keep_file_private, make_private_directory
from harness.image.spec import GuestImage
from harness.seed.inspect import inspect_iso, list_files
from harness.seed.iso9660 import SECTOR, IsoReader
from harness.seed.iso_tree import DISK_CHUNKS, DISK_START, Tree, differences, iso_tree, seed_hash
from harness.seed.iso_writer import BOOT_FILE, write_iso
from harness.seed.model import SeedSpec


def _volume_id(spec: SeedSpec) -> str:
    return f"SEED_{spec.machine.upper().replace('-', '_')}"[:32]


def _seconds(timestamp: str) -> float:
    return dt.datetime.fromisoformat(timestamp).timestamp()


def write_seed_iso(spec: SeedSpec, image: GuestImage, path: Path, write: Callable[..., None] = write_iso) -> None:
    """Write the seed ISO of one machine.

    Same inputs give the same bytes.

    Raises:
        SeedError: It cannot be written, or it reads back differently.
    """
    tree = iso_tree(spec, image)
    temporary = path.with_name(f".{path.name}.new")
    try:
        make_private_directory(path.parent)
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600, exist_ok=False)  # private host keys are in it
        write(temporary, tree, volume_id=_volume_id(spec), timestamp=_seconds(spec.build_timestamp))
        _verify(temporary, tree, spec)
        temporary.replace(path)
    except OSError as error:
        raise SeedError(
            f"the seed ISO cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="check free space and permissions of the seed directory; on Windows, stop the machines that use it",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _verify(path: Path, tree: Tree, spec: SeedSpec) -> None:
    found = list_files(path)
    # The writer fills the boot information table of isolinux.bin (syslinux, "ISOLINUX").
    unchanged = {name: content for name, content in tree.items() if name not in (BOOT_FILE, DISK_START)}
    wrong = differences(unchanged, found)
    with IsoReader(path) as iso:
        chunks, start = iso.find(DISK_CHUNKS), iso.find(DISK_START)
        if chunks is None or start is None or int(iso.read(start)) != chunks.sector * SECTOR:
            wrong.append(f"{DISK_START} is not the offset of {DISK_CHUNKS}")
    info = inspect_iso(path)
    if not info.bios_bootable:
        wrong.append("BIOS firmware cannot boot it")
    if info.machine != spec.machine:
        wrong.append(f"its manifest names the machine {info.machine}")
    if wrong:
        raise SeedError(
            "the seed ISO does not read back as it was written",
            where=str(path),
            detail="\n".join(wrong),
            remedy="check the disk of the seed directory, then run `lab seed` again",
        )


def _is_current(path: Path, input_hash: str) -> bool:
    """Return whether the ISO exists and was built from these inputs.

    Raises:
        SeedError: A file exists that this project did not build.
    """
    if not os.path.lexists(path):
        return False
    try:
        found, reason = inspect_iso(path).input_hash, "it has no manifest of this project"
    except SeedError as error:
        found, reason = None, error.what
    if found is None:
        raise SeedError(
            "is not a seed ISO that this project built; it was not changed",
            where=str(path),
            detail=reason,
            remedy="move it away and run `lab seed` again; to use it as it is: `seeds: {source: provided}`",
        )
    return found == input_hash


def build_seeds(
    specs: Sequence[SeedSpec], image: GuestImage, directory: Path, say: Callable[[str], None]
) -> list[Path]:
    """Build the seed ISOs of all machines; keep those with unchanged inputs.

    Raises:
        SeedError: One cannot be written, or a foreign file is in its place.
    """
    paths = []
    for spec in specs:
        path = directory / spec.iso_name
        if _is_current(path, seed_hash(spec, image.digest)):
            keep_file_private(path)  # an older version wrote it for all
            say(f"{path.name} is up to date")
        else:
            write_seed_iso(spec, image, path)
            say(f"{path.name}: {path.stat().st_size >> 20} MiB for {spec.machine} at {spec.address}")
        paths.append(path)
    return paths
