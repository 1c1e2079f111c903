"""Files of a seed ISO and the lists that describe them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from seed_samples import spec

from harness.image.spec import KERNEL_ARGUMENTS, GuestImage
from harness.seed.iso_tree import Content, differences, iso_tree
from harness.seed.model import PayloadFile


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


def test_differences_names_missing_files_and_other_sizes() -> None:
    tree = {"a": Content(b"1"), "b": Content(b"22"), "c": Content(b"3")}
    good = PayloadFile("a", 1, hashlib.sha256(b"1").hexdigest())
    assert differences(tree, {"a": good, "b": PayloadFile("b", 3, "x")}) == [
        "b has 3 bytes, expected 2",
        "c is missing",
    ]
