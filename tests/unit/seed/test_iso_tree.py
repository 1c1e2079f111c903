"""Files of a seed ISO and the lists that describe them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from seed_samples import spec

from harness.image.spec import KERNEL_ARGUMENTS, GuestImage
from harness.seed.iso_tree import DISK_CHUNKS, DISK_START, FILE_DIGESTS, FILE_SIZES, MANIFEST, iso_tree


def test_the_installers_lists_agree_with_the_payload(tmp_path: Path, image: GuestImage) -> None:
    tree = iso_tree(spec(), image)
    sizes = tree["installer/files.sizes"].data.decode().splitlines()
    digests = tree["installer/files.sha256"].data.decode().splitlines()
    files = {path.removeprefix("files/") for path in tree if path.startswith("files/")}
    assert {line.partition(" ./")[2] for line in sizes} == files
    assert {line.partition("  ./")[2] for line in digests} == files
    assert sizes == sorted(sizes), "the installer compares them with the output of sort"


def test_the_boot_loader_starts_the_installer_and_passes_the_arguments(image: GuestImage) -> None:
    config = iso_tree(spec(), image)["isolinux/isolinux.cfg"].data.decode()
    assert f"APPEND lab.install {KERNEL_ARGUMENTS}\n" in config
    assert "KERNEL /installer/vmlinuz\n" in config


def test_every_file_of_the_iso_is_in_a_list(image: GuestImage) -> None:
    tree = iso_tree(spec(), image)
    listed = {item["path"]: item["sha256"] for item in json.loads(tree[MANIFEST].data)["medium"]}
    payload = {path for path in tree if path.startswith("files/")}
    assert set(tree) - set(listed) - payload == {DISK_START, FILE_DIGESTS, FILE_SIZES}
    assert listed[DISK_CHUNKS] == hashlib.sha256(image.disk_chunks.read_bytes()).hexdigest()


def test_an_image_that_changed_after_it_was_built_does_not_change_its_digest(image: GuestImage) -> None:
    before = iso_tree(spec(), image)[MANIFEST]
    image.disk_chunks.write_bytes(b"damaged")
    assert '"size": 7' in iso_tree(spec(), image)[MANIFEST].data.decode()
    assert iso_tree(spec(), image)[DISK_CHUNKS].sha256() in before.data.decode()
