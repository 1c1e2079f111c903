from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest
from seed_samples import HOST_PUBLIC, spec

from harness.core.errors import HostError, SeedError
from harness.image.spec import GuestImage
from harness.seed import k3s_node
from harness.seed.build import build_seeds, write_seed_iso
from harness.seed.inspect import inspect_iso, list_files, payload_digests
from harness.seed.iso_tree import MANIFEST, Tree, iso_tree, seed_hash
from harness.seed.iso_writer import write_iso
from harness.seed.model import PayloadFile


def test_another_build_time_is_another_file_of_the_same_inputs(tmp_path: Path, image: GuestImage) -> None:
    first, second = tmp_path / "first.iso", tmp_path / "second.iso"
    write_seed_iso(spec(), image, first)
    write_seed_iso(spec(build_timestamp="2027-01-12T09:30:00+00:00"), image, second)
    assert first.read_bytes() != second.read_bytes()
    assert inspect_iso(first).input_hash == inspect_iso(second).input_hash


def test_the_iso_describes_itself(tmp_path: Path, image: GuestImage) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    info = inspect_iso(path)
    assert info.bios_bootable
    assert info.events
    assert info.volume_id == "SEED_K3S_MASTER1"
    assert (info.machine, info.role, info.address) == ("k3s-master1", "master", "192.168.6.10")
    assert info.host_key == HOST_PUBLIC
    assert info.input_hash == seed_hash(spec(), image.digest)


def test_every_payload_file_is_listed_with_size_and_digest(tmp_path: Path, image: GuestImage) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    payload = {item.path: item for item in inspect_iso(path).payload}
    name, data = "packages/expected", (image.packages / "expected").read_bytes()
    assert payload[name] == PayloadFile(name, len(data), hashlib.sha256(data).hexdigest())
    assert {"build-timestamp", "ca.crt", "manifest.json", "registries.yaml", "packages/Packages"} <= set(payload)
    assert any(len(name) > 180 for name in payload), "the long name has to survive Rock Ridge"
    assert {item.path: item.sha256 for item in payload.values()} == payload_digests(path)


def test_an_iso_of_the_same_inputs_is_kept(tmp_path: Path, image: GuestImage) -> None:
    messages: list[str] = []
    (path,) = build_seeds([spec()], image, tmp_path / "seeds", messages.append)
    before = path.stat().st_mtime_ns
    (again,) = build_seeds(
        [spec(build_timestamp="2027-01-01T00:00:00+00:00")], image, tmp_path / "seeds", messages.append
    )
    assert again.stat().st_mtime_ns == before
    assert messages[-1] == "seed-master1.iso is up to date"


@pytest.mark.parametrize(
    ("part", "name"),
    [(bytes(range(256)), "installer/disk.chunks"), (b"deb" * 700, "files/packages/jq_1.6-2.1+deb12u1_amd64.deb")],
)
def test_a_damaged_iso_is_not_current_and_is_built_again(
    tmp_path: Path, image: GuestImage, part: bytes, name: str
) -> None:
    messages: list[str] = []
    (path,) = build_seeds([spec()], image, tmp_path, messages.append)
    good = path.read_bytes()
    data, before = bytearray(good), path.stat()
    data[data.index(part)] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a disk does that damages a block
    build_seeds([spec()], image, tmp_path, messages.append)
    assert f"seed-master1.iso is built again: {name} is damaged" in messages
    assert path.read_bytes() == good


def test_no_iso_is_built_from_a_damaged_image(tmp_path: Path, image: GuestImage) -> None:
    build_seeds([spec()], image, tmp_path, print)
    image.disk_chunks.write_bytes(b"x" * image.disk_chunks.stat().st_size)
    build_seeds([spec()], image, tmp_path, print)
    with pytest.raises(HostError, match=r"the guest image is damaged: disk\.chunks"):
        build_seeds([spec(timezone="UTC")], image, tmp_path, print)


def test_an_iso_of_other_inputs_is_built_again(tmp_path: Path, image: GuestImage) -> None:
    (path,) = build_seeds([spec()], image, tmp_path, lambda _: None)
    (path,) = build_seeds([spec(timezone="UTC")], image, tmp_path, lambda _: None)
    assert inspect_iso(path).input_hash == seed_hash(spec(timezone="UTC"), image.digest)


def test_a_foreign_file_is_not_replaced(tmp_path: Path, image: GuestImage) -> None:
    (path,) = build_seeds([spec()], image, tmp_path, lambda _: None)
    remastered = tmp_path / "remastered.iso"
    tree = {name: content for name, content in iso_tree(spec(), image).items() if name != MANIFEST}
    write_iso(remastered, tree, volume_id="UBUNTU", timestamp=0.0)
    for foreign in (remastered.read_bytes(), path.read_bytes()[:100_000], b"a text"):
        path.write_bytes(foreign)
        with pytest.raises(SeedError, match="is not a seed ISO that this project built") as caught:
            build_seeds([spec()], image, tmp_path, lambda _: None)
        assert caught.value.where == str(path)
        assert path.read_bytes() == foreign


def test_an_iso_whose_texts_this_program_would_write_otherwise_is_built_again(
    tmp_path: Path, image: GuestImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = build_seeds([spec()], image, tmp_path, lambda _: None)
    before = inspect_iso(path).input_hash
    monkeypatch.setattr(k3s_node, "registries", lambda *_, **__: "mirrors: {}\n")
    (path,) = build_seeds([spec()], image, tmp_path, lambda _: None)
    assert inspect_iso(path).input_hash != before


def test_an_iso_that_reads_back_differently_is_not_renamed(tmp_path: Path, image: GuestImage) -> None:
    def write_damaged(path: Path, tree: Tree, *, volume_id: str, timestamp: float) -> None:
        write_iso(path, tree, volume_id=volume_id, timestamp=timestamp)
        data = bytearray(path.read_bytes())
        place = data.index(b"deb" * 700)
        data[place] ^= 0xFF
        path.write_bytes(data)

    path = tmp_path / "seed.iso"
    with pytest.raises(SeedError) as caught:
        write_seed_iso(spec(), image, path, write_damaged)
    assert "jq_1.6-2.1+deb12u1_amd64.deb is damaged" in str(caught.value)
    assert list(tmp_path.glob("*.iso*")) == []
    assert list(tmp_path.glob(".*.new")) == []


def test_a_failed_build_leaves_the_old_iso(tmp_path: Path, image: GuestImage) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    before = path.read_bytes()

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(SeedError, match="cannot be written") as caught:
        write_seed_iso(spec(timezone="UTC"), image, path, full)
    assert "No space left" in str(caught.value)
    assert path.read_bytes() == before


def test_the_manifest_lists_every_file_but_itself(tmp_path: Path, image: GuestImage) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    tree = iso_tree(spec(), image)
    listed = {item["path"] for item in json.loads(tree["files/manifest.json"].data)["files"]}
    there = {name.removeprefix("files/") for name in list_files(path) if name.startswith("files/")}
    assert listed == there - {"manifest.json"}


@pytest.mark.skipif(os.name == "nt", reason="rights are access lists there")
def test_a_seed_is_private_also_one_that_was_not_and_is_current(tmp_path: Path, image: GuestImage) -> None:
    (path,) = build_seeds([spec()], image, tmp_path / "seeds", print)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    build_seeds([spec()], image, tmp_path / "seeds", print)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
