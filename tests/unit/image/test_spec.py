"""Inputs of the guest image, and the files of a built one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.image.spec import GENERIC_KERNELS, GuestImage, ImageSpec, guest_file_text


@pytest.mark.parametrize("distribution", sorted(GENERIC_KERNELS))
def test_each_distribution_has_its_generic_kernel(distribution: str) -> None:
    spec = ImageSpec(distribution, "suite", root_gib=39, operations_packages=())
    assert spec.kernel.startswith("linux-image-")


def test_every_file_of_an_image_has_its_own_name_in_its_directory() -> None:
    image = GuestImage(Path("cache/image-1"), "1", "digest")
    files = [
        image.kernel,
        image.initrd,
        image.disk_chunks,
        image.disk_map,
        image.disk_crc,
        image.disk_sectors,
        *image.isolinux,
    ]
    files += [image.packages, image.description]
    assert {file.parent for file in files} == {image.directory}
    assert len({file.name for file in files}) == len(files)


def test_a_guest_file_is_found_in_the_package() -> None:
    assert guest_file_text("init.sh").startswith("#!/bin/busybox sh\n")
    with pytest.raises(FileNotFoundError):
        guest_file_text("missing.sh")
