from __future__ import annotations

import hashlib
import io
import json
import re
import struct
from pathlib import Path
from typing import Any

import pycdlib
import pytest
from seed_samples import fake_image, spec

from harness.core.errors import SeedError
from harness.seed.build import write_seed_iso
from harness.seed.inspect import inspect_iso, payload_digests
from harness.seed.iso9660 import IsoReader
from harness.seed.iso_tree import MANIFEST_FORMAT
from harness.seed.model import PayloadFile

AUTOINSTALL = b"""#cloud-config
autoinstall:
  version: 1
  identity: {hostname: k3s-worker1, username: ubuntu, password: x}
  network:
    version: 2
    ethernets:
      ens33: {addresses: [192.168.6.11/24], routes: [{to: default, via: 192.168.6.1}]}
"""
K3S = bytes(range(256)) * 20


def foreign_iso(path: Path, files: dict[str, bytes], *, rock_ridge: bool = True, bootable: bool = True) -> Path:
    """Write an ISO as a remastered Ubuntu installer lays it out; without Rock Ridge it has Joliet names."""
    iso: Any = pycdlib.PyCdlib()
    iso.new(vol_ident="Ubuntu 24.04", **({"rock_ridge": "1.09"} if rock_ridge else {"joliet": 3}))

    def names(path: str) -> dict[str, str]:
        return {"rr_name": path.rpartition("/")[2]} if rock_ridge else {"joliet_path": f"/{path}"}

    folders: dict[str, str] = {}
    for number, (name, data) in enumerate(files.items()):
        folder = name.rpartition("/")[0]
        if folder not in folders:
            folders[folder] = f"/DIR{len(folders)}"
            iso.add_directory(folders[folder], **names(folder))
        iso.add_fp(io.BytesIO(data), len(data), f"{folders[folder]}/F{number}.;1", **names(name))
    if bootable:
        iso.add_fp(io.BytesIO(b"boot" * 512), 2048, "/BOOT.;1", **names("eltorito.img"))
        catalog = {"rr_bootcatname": "boot.cat"} if rock_ridge else {"joliet_bootcatfile": "/boot.cat"}
        iso.add_eltorito("/BOOT.;1", bootcatfile="/BOOT.CAT;1", **catalog)
    iso.write(str(path))
    iso.close()
    return path


@pytest.mark.parametrize("rock_ridge", [True, False], ids=["rock-ridge", "joliet"])
def test_an_iso_of_somebody_else_is_told_by_its_autoinstall_data(tmp_path: Path, rock_ridge: bool) -> None:
    files = {"autoinstall/user-data": AUTOINSTALL, "files/k3s": K3S, "files/build-timestamp": b"2026\n"}
    path = foreign_iso(tmp_path / "seed-worker1.iso", files, rock_ridge=rock_ridge)
    info = inspect_iso(path)
    assert info.volume_id == "Ubuntu 24.04"
    assert info.bios_bootable
    assert (info.machine, info.address, info.role) == ("k3s-worker1", "192.168.6.11", None)
    assert not info.events
    assert info.input_hash is None
    assert info.host_key is None
    assert info.payload == (PayloadFile("build-timestamp", 5, None), PayloadFile("k3s", len(K3S), None))
    assert payload_digests(path)["k3s"] == hashlib.sha256(K3S).hexdigest()


def continue_file(path: Path, name: str) -> None:
    """Have the entry of a file say that the next one is another extent of it (flag 0x80 of ECMA-119, 9.1.6)."""
    with IsoReader(path) as iso:
        record = iso.find(f"files/{name}")
    assert record is not None
    data = bytearray(path.read_bytes())
    where = struct.pack("<I", record.sector) + struct.pack(">I", record.sector)
    for found in re.finditer(re.escape(where), data):
        data[found.start() + 23] |= 0x80
    path.write_bytes(data)


def rename(path: Path, name: str, new: str) -> None:
    data = path.read_bytes()
    for encoding in ("ascii", "utf-16-be"):
        data = data.replace(name.encode(encoding), new.encode(encoding))
    path.write_bytes(data)


@pytest.mark.parametrize("rock_ridge", [True, False], ids=["rock-ridge", "joliet"])
def test_a_file_of_several_extents_is_one_file(tmp_path: Path, rock_ridge: bool) -> None:
    parts = {"images-0.tar": b"a" * 4096, "images-1.tar": b"b" * 2048, "images-2.tar": b"c" * 3}
    files = {"files/build-timestamp": b"2026\n", **{f"files/{name}": data for name, data in parts.items()}}
    path = foreign_iso(tmp_path / "seed.iso", files, rock_ridge=rock_ridge)
    for name in ("images-1.tar", "images-0.tar"):
        continue_file(path, name)
    rename(path, "images-1.tar", "images-0.tar")
    rename(path, "images-2.tar", "images-0.tar")
    whole = b"".join(parts.values())
    timestamp = PayloadFile("build-timestamp", 5, None)
    assert inspect_iso(path).payload == (timestamp, PayloadFile("images-0.tar", len(whole), None))
    assert payload_digests(path)["images-0.tar"] == hashlib.sha256(whole).hexdigest()
    with IsoReader(path) as iso:
        record = iso.find("files/images-0.tar")
        assert record is not None
        assert iso.read(record) == whole


def test_a_file_whose_last_extent_is_not_there_is_listed_all_the_same(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"files/k3s": K3S})
    continue_file(path, "k3s")
    assert inspect_iso(path).payload == (PayloadFile("k3s", len(K3S), None),)


@pytest.mark.parametrize(
    ("user_data", "machine", "address"),
    [
        (b"#cloud-config\nautoinstall:\n  user-data: {hostname: k3s-master1}\n", "k3s-master1", None),
        (b"#cloud-config\nhostname: k3s-worker2\n", "k3s-worker2", None),
        (b"#cloud-config\nautoinstall: {network: {network: {ethernets: {a: {dhcp4: true}}}}}\n", None, None),
        (b"#cloud-config\nautoinstall: [", None, None),
        (b"\xff\xfe\x00", None, None),
        (b"", None, None),
    ],
)
def test_unusual_or_broken_autoinstall_data_is_no_failure_of_the_inspection(
    tmp_path: Path, user_data: bytes, machine: str | None, address: str | None
) -> None:
    info = inspect_iso(foreign_iso(tmp_path / "seed.iso", {"autoinstall/user-data": user_data}))
    assert (info.machine, info.address) == (machine, address)
    assert info.payload == ()


def test_an_iso_without_a_boot_record_is_not_bootable(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"autoinstall/user-data": AUTOINSTALL}, bootable=False)
    assert not inspect_iso(path).bios_bootable


def test_an_iso_that_only_uefi_boots_is_not_bootable_by_bios(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"autoinstall/user-data": AUTOINSTALL})
    with IsoReader(path) as iso:
        catalog = iso.volume.boot_catalog
    assert catalog is not None
    data = bytearray(path.read_bytes())
    data[catalog * 2048 + 1] = 0xEF
    path.write_bytes(data)
    assert not inspect_iso(path).bios_bootable


def test_a_manifest_of_another_kind_is_somebody_elses_file(tmp_path: Path) -> None:
    files = {"autoinstall/user-data": AUTOINSTALL, "files/manifest.json": b'{"layers": []}'}
    info = inspect_iso(foreign_iso(tmp_path / "seed.iso", files))
    assert info.machine == "k3s-worker1"
    assert not info.events


def test_a_manifest_of_ours_that_lacks_a_value_is_a_clear_error(tmp_path: Path) -> None:
    manifest = json.dumps({"format": MANIFEST_FORMAT, "machine": "m"}).encode()
    path = foreign_iso(tmp_path / "seed.iso", {"files/manifest.json": manifest})
    with pytest.raises(SeedError, match="manifest lacks"):
        inspect_iso(path)


def test_a_missing_iso_names_the_file_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="the seed ISO does not exist") as caught:
        inspect_iso(tmp_path / "seed-master1.iso")
    assert "seed-master1.iso" in str(caught.value)
    assert "lab seed" in caught.value.remedy


@pytest.mark.parametrize("data", [b"", b"not an ISO", bytes(200_000), b"\x7fELF" + bytes(40_000)])
def test_a_file_that_is_no_iso_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "seed.iso"
    path.write_bytes(data)
    with pytest.raises(SeedError, match="is not an ISO 9660 image"):
        inspect_iso(path)


def test_a_directory_in_the_place_of_an_iso_is_no_iso(tmp_path: Path) -> None:
    with pytest.raises(SeedError):
        inspect_iso(tmp_path)


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.999])
def test_a_truncated_iso_tells_both_lengths(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), fake_image(tmp_path / "image"), path)
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[: int(whole * keep)])
    with pytest.raises(SeedError, match="is truncated") as caught:
        inspect_iso(path)
    assert str(whole) in caught.value.what


def test_an_iso_cut_inside_its_first_descriptors_is_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), fake_image(tmp_path / "image"), path)
    path.write_bytes(path.read_bytes()[: 16 * 2048 + 100])
    with pytest.raises(SeedError):
        inspect_iso(path)


def test_inspection_does_not_read_the_whole_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "seed.iso"
    image = fake_image(tmp_path / "image")
    write_seed_iso(spec(), image, path)
    read: list[int] = []
    real = IsoReader._sectors

    def counting(self: IsoReader, sector: int, size: int) -> bytes:
        data = real(self, sector, size)
        read.append(len(data))
        return data

    monkeypatch.setattr(IsoReader, "_sectors", counting)
    inspect_iso(path)
    assert sum(read) < path.stat().st_size / 10
