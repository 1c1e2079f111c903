"""Files of a seed ISO and the lists that describe them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from seed_samples import spec

from harness.image.package_repository import DebPackage
from harness.image.spec import KERNEL_ARGUMENTS, GuestImage
from harness.payload.collect import CollectedFile
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


def collected(folder: Path, *paths: str) -> tuple[CollectedFile, ...]:
    found = []
    for path in paths:
        file = folder / path.replace("/", "-")
        file.write_bytes(path.encode())
        found.append(CollectedFile(path, file, len(path), hashlib.sha256(path.encode()).hexdigest()))
    return tuple(found)


def test_the_payload_of_the_lab_file_is_on_the_iso_and_in_every_list(tmp_path: Path, image: GuestImage) -> None:
    files = collected(tmp_path, "k3s/k3s", "images/base.tar", "extra/motd")
    tree = iso_tree(spec(payload=files), image)
    for file in files:
        assert tree[f"files/{file.path}"].source == file.file
        assert f"{file.sha256}  ./{file.path}\n" in tree["installer/files.sha256"].text()
        assert f"{file.size} ./{file.path}\n" in tree["installer/files.sizes"].text()
        assert file.sha256 in tree["files/manifest.json"].text()


def test_a_further_package_is_in_the_index_and_expected(tmp_path: Path, image: GuestImage) -> None:
    files = collected(tmp_path, "packages/curl_8_amd64.deb", "packages/jq_2_amd64.deb")
    packages = (DebPackage("curl", "Package: curl\nSize: 25\n"), DebPackage("jq", "Package: jq\nVersion: 2\n"))
    tree = iso_tree(spec(payload=files, packages=packages), image)
    assert tree["files/packages/Packages"].text() == (
        "Package: jq\n\nPackage: curl\nSize: 25\n\nPackage: jq\nVersion: 2\n"
    )
    assert tree["files/packages/expected"].text() == "jq\ncurl\n"
    assert "files/packages/curl_8_amd64.deb" in tree
