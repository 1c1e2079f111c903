from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seed_samples import fake_image, spec

from harness.core.errors import SeedError
from harness.image.spec import GuestImage
from harness.seed.build import write_seed_iso
from harness.seed.inspect import inspect_iso, list_files, payload_digests
from harness.seed.iso9660 import IsoReader
from harness.seed.iso_tree import MANIFEST_FORMAT
from harness.seed.model import PayloadFile

from .foreign_iso import AUTOINSTALL, K3S, foreign_iso


@pytest.mark.parametrize("rock_ridge", [True, False], ids=["rock-ridge", "joliet"])
def test_a_foreign_iso_is_identified_by_its_autoinstall_data(tmp_path: Path, rock_ridge: bool) -> None:
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


def test_a_manifest_of_another_format_is_ignored(tmp_path: Path) -> None:
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
def test_a_file_that_is_no_iso_is_reported(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "seed.iso"
    path.write_bytes(data)
    with pytest.raises(SeedError, match="is not an ISO 9660 image"):
        inspect_iso(path)


def test_a_directory_in_the_place_of_an_iso_is_no_iso(tmp_path: Path) -> None:
    with pytest.raises(SeedError):
        inspect_iso(tmp_path)


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.999])
def test_a_truncated_iso_is_reported_with_both_lengths(tmp_path: Path, keep: float) -> None:
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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFO in a directory")
def test_a_fifo_is_no_seed_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "seed.iso")
    with pytest.raises(SeedError, match="not a regular file"):
        inspect_iso(tmp_path / "seed.iso")


def test_a_path_with_nul_is_no_seed() -> None:
    with pytest.raises(SeedError, match="null"):
        inspect_iso(Path("a\0b.iso"))


@given(data=st.data())
@settings(max_examples=40, deadline=5000, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_image_is_a_seed_error_and_nothing_else(
    data: st.DataObject, image: GuestImage, tmp_path: Path
) -> None:
    path = tmp_path / "seed.iso"
    if not path.exists():
        write_seed_iso(spec(), image, path)
        (tmp_path / "good").write_bytes(path.read_bytes())
    content = bytearray((tmp_path / "good").read_bytes())
    end = min(len(content), 64 * 2048)  # descriptors, tables, directories
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(16 * 2048, end - 4))
        piece = data.draw(
            st.one_of(
                st.binary(min_size=1, max_size=8),
                st.sampled_from([0, 1, 16, 20, 24, 0x7FFFFFFF, 0xFFFFFFFF]).map(
                    lambda number: number.to_bytes(4, "little")
                ),
                st.integers(16 * 2048, end - 64).map(lambda source: bytes(content[source : source + 64])),
            )
        )
        content[start : start + len(piece)] = piece
    path.write_bytes(content)
    for read in (inspect_iso, payload_digests, list_files):
        with contextlib.suppress(SeedError):
            read(path)
    path.write_bytes((tmp_path / "good").read_bytes())


def test_a_directory_that_holds_itself_is_damage_and_not_a_walk_without_end(tmp_path: Path) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"files/k3s": K3S})
    with IsoReader(path) as iso:
        outer, inner = iso.volume.root, iso.find("files")
    assert inner is not None
    content = path.read_bytes()
    old, new = (item.sector.to_bytes(4, "little") + item.sector.to_bytes(4, "big") for item in (inner, outer))
    path.write_bytes(content.replace(old, new))
    with pytest.raises(SeedError, match="is damaged"):
        list_files(path)


@pytest.mark.parametrize("text", [b"a: " + b"[" * 5000, b"autoinstall: 2001-99-99\n", b"? [a]\n: 1\n"])
def test_hostile_user_data_names_no_machine(tmp_path: Path, text: bytes) -> None:
    path = foreign_iso(tmp_path / "seed.iso", {"autoinstall/user-data": text})
    assert inspect_iso(path).machine is None
