"""Write seed ISOs to disk: temporary name, read back, then rename."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.core.errors import SeedError
from harness.core.private import keep_file_private, make_private_directory
from harness.image.build import require_undamaged
from harness.image.spec import GuestImage
from harness.seed.inspect import inspect_iso
from harness.seed.iso9660 import IsoReader
from harness.seed.iso_tree import MANIFEST, Tree, iso_tree, seed_hash
from harness.seed.iso_writer import write_iso
from harness.seed.model import SeedSpec
from harness.seed.verify import iso_damage

_SHOWN = 3


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
    write_verified(path, iso_tree(spec, image), _volume_id(spec), _seconds(spec.build_timestamp), write)


def write_verified(
    path: Path, tree: Tree, volume_id: str, timestamp: float, write: Callable[..., None] = write_iso
) -> None:
    """Write an ISO under another name, read it back, then rename it.

    Raises:
        SeedError: It cannot be written, or it reads back differently.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        make_private_directory(path.parent)
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600, exist_ok=False)  # private host keys are in it
        write(temporary, tree, volume_id=volume_id, timestamp=timestamp)
        _verify(temporary, tree)
        temporary.replace(path)
    except OSError as error:
        raise unwritable("the seed ISO", path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _verify(path: Path, tree: Tree) -> None:
    """Compare the ISO with its lists, and its manifest with the tree."""
    wrong = list(iso_damage(path))
    with IsoReader(path) as iso:
        manifest = iso.find(MANIFEST)
        if manifest is None or iso.read(manifest) != tree[MANIFEST].data:
            wrong.append(f"{MANIFEST} differs from what was written")
    if wrong:
        raise not_as_written("the seed ISO", path, wrong)


def unwritable(what: str, path: Path, error: OSError) -> SeedError:
    """Return the error of an ISO that cannot be written."""
    return SeedError(
        f"{what} cannot be written: {error.strerror or error}",
        where=str(path),
        remedy="check free space and permissions of the seed directory; on Windows, stop the machines that use it",
    )


def not_as_written(what: str, path: Path, wrong: Sequence[str]) -> SeedError:
    """Return the error of an ISO that reads back otherwise."""
    return SeedError(
        f"{what} does not read back as it was written",
        where=str(path),
        detail="\n".join(wrong),
        remedy="check the disk of the seed directory, then run `lab seed` again",
    )


def built_from(path: Path) -> str | None:
    """Return the hash of the inputs of an ISO that exists.

    Raises:
        SeedError: A file exists that this project did not build.
    """
    if not os.path.lexists(path):
        return None
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
    return found


def build_seeds(
    specs: Sequence[SeedSpec], image: GuestImage, directory: Path, say: Callable[[str], None]
) -> list[Path]:
    """Build the seed ISOs of all machines; keep those that are as their inputs.

    Raises:
        SeedError: One cannot be written, or a foreign file is in its place.
        HostError: A file of the guest image is damaged.
    """
    paths = [directory / spec.iso_name for spec in specs]
    built = {path: built_from(path) for path in paths}
    current = [path for spec, path in zip(specs, paths, strict=True) if built[path] == seed_hash(spec, image.digest)]
    with ThreadPoolExecutor() as pool:
        damage = dict(zip(current, pool.map(iso_damage, current), strict=True))
    if not all(damage.get(path) == () for path in paths):
        require_undamaged(image)
    for spec, path in zip(specs, paths, strict=True):
        if damage.get(path) == ():
            keep_file_private(path)  # an older version wrote it for all
            say(f"{path.name} is up to date")
            continue
        if path in damage:
            say(f"{path.name} is built again: {'; '.join(damage[path][:_SHOWN])}")
        write_seed_iso(spec, image, path)
        say(f"{path.name}: {path.stat().st_size >> 20} MiB for {spec.machine} at {spec.address}")
    return paths
