"""Read ISO 9660 (ECMA-119) images of any origin without mounting them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from harness.core.errors import SeedError
from harness.core.files import open_regular_file
from harness.seed.iso_record import Extent, Record, Volume, joined, record_of, system_use_fields

SECTOR = 2048
_REBUILD = "build the seeds again with `lab seed`, or copy the ISO again from where it was built"
_PRIMARY, _BOOT, _SUPPLEMENTARY, _END = 1, 0, 2, 255
_JOLIET_ESCAPES = (b"%/@", b"%/C", b"%/E")
_CONTINUED = 0x80  # a file flag (ECMA-119, 9.1.6)
_BLOCK = 1 << 20
_LBA = 512  # bytes of a block of a disk
_LARGEST_DIRECTORY = 16 << 20  # 150,000 names; Ubuntu's largest has some hundred
_LARGEST_IN_MEMORY = 256 << 20


class IsoReader:
    """An open ISO image; use it as a context manager.

    Raises:
        SeedError: The file is missing, not an ISO 9660 image, or shorter than its declared length.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digests: dict[tuple[Extent, ...], str] = {}
        try:
            self._stream: BinaryIO = open_regular_file(path)
        except (OSError, ValueError) as error:  # a path with NUL is a ValueError
            missing = isinstance(error, FileNotFoundError)
            raise SeedError(
                "the seed ISO does not exist" if missing else f"cannot be read: {getattr(error, 'strerror', error)}",
                where=str(path),
                remedy="build the seeds with `lab seed`, or set seeds.directory in the lab file",
            ) from error
        try:
            self.volume = self._volume()
            self._check_length()
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def _sectors(self, sector: int, size: int) -> bytes:
        self._stream.seek(sector * SECTOR)
        return self._stream.read(size)

    def _volume(self) -> Volume:
        primary: bytes | None = None
        joliet: bytes | None = None
        catalog: int | None = None
        for sector in range(16, 48):
            block = self._sectors(sector, SECTOR)
            if len(block) < SECTOR or block[1:6] != b"CD001" or block[0] == _END:
                break
            if block[0] == _PRIMARY:
                primary = block
            elif block[0] == _SUPPLEMENTARY and block[88:91] in _JOLIET_ESCAPES:
                joliet = block
            elif block[0] == _BOOT and block[7:39].rstrip(b"\0") == b"EL TORITO SPECIFICATION":
                catalog = struct.unpack_from("<I", block, 71)[0]
        if primary is None:
            udf = any(self._sectors(sector, 6)[1:4] == b"NSR" for sector in range(16, 24))  # ECMA-167, 3/9.1
            what = f"is not an ISO 9660 image{', but a UDF image' if udf else ''}"
            raise SeedError(what, where=str(self.path), remedy=_REBUILD)
        return self._described(primary, joliet, catalog)

    def _described(self, primary: bytes, joliet: bytes | None, catalog: int | None) -> Volume:
        root = record_of(primary[156:190], joliet=False)
        first = self._sectors(root.sector, SECTOR)
        use_joliet = joliet is not None and b"SP\x07\x01\xbe\xef" not in first[: first[0] if first else 0]
        if use_joliet and joliet is not None:
            root = record_of(joliet[156:190], joliet=True)
        volume_id = primary[40:72].decode("ascii", errors="replace").rstrip()
        blocks = struct.unpack_from("<I", primary, 80)[0]
        return Volume(volume_id, blocks * SECTOR, root, use_joliet, catalog)

    def _check_length(self) -> None:
        size = self.path.stat().st_size
        if size < self.volume.declared_size:
            raise SeedError(
                f"is truncated: it is cut short at {size} of {self.volume.declared_size} bytes",
                where=str(self.path),
                remedy=_REBUILD,
            )

    def children(self, directory: Record) -> Iterator[Record]:
        """Yield the entries of a directory, except itself and its parent."""
        begun: list[Record] = []
        for entry in self._entries(directory):
            rock_ridge = "" if self.volume.joliet else self._rock_ridge_name(entry)
            begun.append(record_of(entry, joliet=self.volume.joliet, rock_ridge=rock_ridge))
            if not entry[25] & _CONTINUED:
                yield joined(begun)
                begun.clear()
        if begun:  # the image is damaged: the last extent is missing
            yield joined(begun)

    def _entries(self, directory: Record) -> Iterator[bytes]:
        if directory.size > _LARGEST_DIRECTORY:
            raise self._damaged(f"the directory {directory.name!r} has {directory.size} bytes")
        data = self.read(directory)
        offset = 0
        while offset < len(data):
            length = data[offset]
            if length == 0:  # entries do not cross sectors
                offset = (offset // SECTOR + 1) * SECTOR
                continue
            entry = data[offset : offset + length]
            offset += length
            # The entries of itself and its parent have a one-byte name; a Joliet name has two bytes per letter.
            if len(entry) >= 34 and not (entry[32] == 1 and entry[33] in (0, 1)):
                yield entry

    def _rock_ridge_name(self, entry: bytes) -> str:
        """Return the joined NM fields (IEEE P1282), also of the continuation area."""
        length = entry[32]
        area = entry[33 + length + (1 - length % 2) :]
        name = b""
        for _ in range(8):  # a damaged image could have a cycle of continuations
            following = b""
            for signature, data in system_use_fields(area):
                if signature == b"NM":
                    name += data[1:]
                elif signature == b"CE" and len(data) >= 24:
                    sector, offset, size = (struct.unpack_from("<I", data, place)[0] for place in (0, 8, 16))
                    offset, size = min(offset, SECTOR), min(size, SECTOR)  # it lies in one sector (IEEE P1281)
                    following = self._sectors(sector, offset + size)[offset:]
            if not following:
                break
            area = following
        return name.decode("utf-8", errors="replace")

    def find(self, path: str) -> Record | None:
        """Return the entry of a path such as `autoinstall/user-data`, or None.

        Names are compared without case.
        """
        record: Record | None = self.volume.root
        for part in path.strip("/").split("/"):
            if record is None or not record.is_directory:
                return None
            record = next((item for item in self.children(record) if item.name.lower() == part.lower()), None)
        return record

    def walk(self, directory: Record) -> Iterator[tuple[str, Record]]:
        """Yield path and entry of each file below a directory.

        Raises:
            SeedError: A directory is in two places, or there is more in files than the image has bytes: the image is
                damaged, and a walk, or reading what it finds, may have no end.
        """
        waiting, seen = [("", directory)], {directory.sector}
        extents, total, most = set[Extent](), 0, 2 * self.path.stat().st_size
        while waiting:
            prefix, folder = waiting.pop()
            for item in self.children(folder):
                path = f"{prefix}{item.name}"
                total += sum(extent.size for extent in item.extents if extent not in extents)
                extents.update(item.extents)  # one file under several names has one place
                if total > most:
                    raise self._damaged(f"up to {path!r} its files have {total} bytes, more than the image")
                if not item.is_directory:
                    yield path, item
                    continue
                if item.sector in seen:
                    raise self._damaged(f"{path!r} is a directory twice")
                seen.add(item.sector)
                waiting.append((f"{path}/", item))

    def _damaged(self, what: str) -> SeedError:
        return SeedError(f"is damaged: {what}", where=str(self.path), remedy=_REBUILD)

    def read(self, record: Record) -> bytes:
        """Return the bytes of a file.

        Raises:
            SeedError: It is too large to be held in memory.
        """
        if record.size > _LARGEST_IN_MEMORY:
            raise self._damaged(f"{record.name!r} has {record.size} bytes")
        return b"".join(self._blocks(record))

    def backup_gpt(self) -> bytes | None:
        """Return the header of the second GPT at the end of the image.

        None where the first one names no place in the image (UEFI 2.10, 5.3.2).
        """
        self._stream.seek(_LBA)
        first = self._stream.read(_LBA)
        if first[:8] != b"EFI PART":
            return None
        place = struct.unpack_from("<Q", first, 32)[0] * _LBA
        if place >= self.path.stat().st_size:
            return None
        self._stream.seek(place)
        return self._stream.read(_LBA) or None

    def head(self, record: Record, size: int) -> bytes:
        """Return the first bytes of a file."""
        self._stream.seek(record.sector * SECTOR)
        return self._stream.read(min(size, record.extents[0].size))

    def sha256(self, record: Record) -> str:
        """Return the digest of a file; one that has several names is read once."""
        if record.extents in self._digests:
            return self._digests[record.extents]
        digest = hashlib.sha256()
        for block in self._blocks(record):
            digest.update(block)
        self._digests[record.extents] = digest.hexdigest()
        return self._digests[record.extents]

    def _blocks(self, record: Record) -> Iterator[bytes]:
        """Yield the bytes of a file in blocks of 1 MiB."""
        for extent in record.extents:
            for offset in range(0, extent.size, _BLOCK):
                self._stream.seek(extent.sector * SECTOR + offset)
                block = self._stream.read(min(_BLOCK, extent.size - offset))
                if not block:
                    return  # beyond the end of a damaged image
                yield block

    def bios_bootable(self) -> bool:
        """Return whether BIOS firmware can boot it.

        The first entry of the boot catalogue is then for platform 0 and has the boot indicator 0x88.
        """
        return self.bios_boot_sector() is not None

    def bios_boot_sector(self) -> int | None:
        """Return the first sector of the program that BIOS firmware loads.

        None without one.
        """
        if self.volume.boot_catalog is None:
            return None
        catalog = self._sectors(self.volume.boot_catalog, 64)
        bootable = len(catalog) == 64 and catalog[0] == 1 and catalog[1] == 0 and catalog[32] == 0x88
        return struct.unpack_from("<I", catalog, 40)[0] if bootable else None
