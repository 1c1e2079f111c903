"""Virtual disks: inspect a VMDK and its pieces.

The format of the descriptor is in `vmdk_descriptor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.core.errors import HostError
from harness.core.files import allocated_bytes
from harness.vmware import vmdk_descriptor
from harness.vmware.vmdk_descriptor import SECTOR, VmdkError, sparse_sectors


class DiskError(HostError):
    """A virtual disk could not be created or read.

    Attributes:
        why: The reason, for the first line of the error.
    """

    why: ClassVar[str] = "the tool failed"


@dataclass(frozen=True)
class Extent:
    """One piece of a disk.

    Attributes:
        file: None for a piece of zeros.
    """

    access: str
    sectors: int
    kind: str
    file: Path | None


@dataclass(frozen=True)
class DiskInfo:
    """The properties of a VMDK.

    Attributes:
        allocated_bytes: The present size of its files on the host.
    """

    capacity_bytes: int
    create_type: str
    adapter: str
    extents: tuple[Extent, ...]
    allocated_bytes: int

    @property
    def capacity_gib(self) -> float:
        """The size that the guest sees, in GiB."""
        return self.capacity_bytes / (1 << 30)


def inspect_disk(path: Path) -> DiskInfo:
    """Inspect a VMDK and check that its pieces are complete.

    All pieces exist, and each sparse one has its header.

    Raises:
        DiskError: It is missing, is no VMDK, or is incomplete.
    """
    try:
        descriptor = vmdk_descriptor.read(path)
        extents = tuple(
            Extent(piece.access, piece.sectors, piece.kind, path.parent / piece.name if piece.name else None)
            for piece in descriptor.extents
        )
        if not descriptor.get("createType") or not extents:
            raise _broken(path, "its descriptor has no createType or no extent")
        files = {extent.file for extent in extents if extent.file is not None}
        for extent in extents:
            _check_extent(path, extent)
        allocated = sum(allocated_bytes(file.stat()) for file in (files if descriptor.is_embedded else files | {path}))
    except VmdkError as error:
        raise _broken(path, f"it {error.reason}") from error
    except (OSError, ValueError) as error:  # the name of a piece with a NUL is a ValueError
        raise _broken(path, f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return DiskInfo(
        capacity_bytes=sum(extent.sectors for extent in extents) * SECTOR,
        create_type=descriptor.get("createType"),
        adapter=descriptor.get("ddb.adapterType"),
        extents=extents,
        allocated_bytes=allocated,
    )


def _check_extent(path: Path, extent: Extent) -> None:
    if extent.file is None or extent.kind != "SPARSE":
        return
    capacity = sparse_sectors(extent.file)
    if capacity is None:
        raise _broken(path, f"{extent.file.name} is not a sparse extent")
    if capacity != extent.sectors:
        raise _broken(path, f"{extent.file.name} has {capacity} sectors, the descriptor says {extent.sectors}")


def _broken(path: Path, why: str) -> DiskError:
    return DiskError(
        f"not a usable virtual disk: {why}",
        where=str(path),
        remedy="delete the machine with `lab down` and create it again",
    )
