"""Any damage of a seed ISO is found."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from seed_samples import spec

from harness.image.spec import GuestImage
from harness.seed.build import write_seed_iso
from harness.seed.inspect import list_files
from harness.seed.iso9660 import SECTOR, IsoReader
from harness.seed.iso_tree import BOOT_CATALOG, BOOT_FILE, Content, Tree, iso_tree
from harness.seed.iso_writer import write_iso
from harness.seed.verify import iso_damage, verified_iso

from .foreign_iso import K3S, foreign_iso


@pytest.fixture
def seed(tmp_path: Path, image: GuestImage) -> Path:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), image, path)
    return path


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(place)
        byte = stream.read(1)[0]
        stream.seek(place)
        stream.write(bytes([byte ^ 0x10]))


def test_an_iso_as_it_was_written_has_no_damage(seed: Path) -> None:
    assert iso_damage(seed) == ()
    assert verified_iso(seed).damage == ()


def test_one_byte_of_any_file_is_found_and_its_file_is_named(seed: Path) -> None:
    with IsoReader(seed) as iso:
        places = {name: record.sector * SECTOR for name, record in iso.walk(iso.volume.root)}
    sizes = {name: file.size for name, file in list_files(seed).items()}
    chance = random.Random(1)
    for name in set(places) - {BOOT_CATALOG}:
        place = places[name] + chance.randrange(sizes[name])
        flip(seed, place)
        found = iso_damage(seed)
        assert found, name
        assert any(name in one for one in found) or name in (BOOT_FILE, "files/manifest.json", "installer/files.sha256")
        flip(seed, place)
    assert iso_damage(seed) == ()


@pytest.mark.parametrize("offset", [8, 12, 16, 20])
def test_a_damaged_table_of_the_boot_loader_is_found(seed: Path, offset: int) -> None:
    with IsoReader(seed) as iso:
        loader = iso.find(BOOT_FILE)
    assert loader is not None
    flip(seed, loader.sector * SECTOR + offset)
    assert iso_damage(seed) == ("BIOS firmware cannot boot it",)


@pytest.mark.parametrize("change", ["missing", "more"])
def test_a_file_that_is_missing_or_was_added_is_found(tmp_path: Path, image: GuestImage, change: str) -> None:
    tree: Tree = iso_tree(spec(), image)
    if change == "missing":
        del tree["files/ca.crt"]
    else:
        tree["files/more"] = Content(b"more")
    path = tmp_path / "seed.iso"
    write_iso(path, tree, volume_id="SEED", timestamp=0.0)
    expected = {"missing": "files/ca.crt is missing", "more": "files/more is not of this seed"}
    assert expected[change] in iso_damage(path)


def test_an_iso_of_others_has_nothing_to_compare_with(tmp_path: Path) -> None:
    assert verified_iso(foreign_iso(tmp_path / "seed.iso", {"files/k3s": K3S})).damage == ()
