"""Drives of a Windows host, from what Windows answers."""

from __future__ import annotations

import sys

import pytest

from harness.system.windows.drives import Drive, drives, drives_of, missing_drive

C = Drive("C:", "", 58)


def free_of(root: str) -> int:
    if root != "C:\\":
        raise OSError("no medium")
    return (58 << 30) + 5


def test_the_bits_of_windows_are_drives_with_kind_and_space() -> None:
    kinds = {"C:\\": 3, "D:\\": 5, "Z:\\": 4}
    found = drives_of(0b1100 | 1 << 25, lambda root: kinds[root], free_of)
    assert found == (C, Drive("D:", "CD", None), Drive("Z:", "network", None))
    assert list(map(str, found)) == ["C: 58 GiB free", "D: (CD)", "Z: (network)"]


@pytest.mark.parametrize("path", [r"F:\VMs\lab", "f:/VMs"])
def test_a_drive_that_is_missing_is_named_with_those_that_exist(path: str) -> None:
    text = missing_drive(path, (C, Drive("D:", "CD", None)))
    assert text == (
        "drive F: does not exist; present: C: 58 GiB free, D: (CD); "
        "mapped drives are not visible in an administrator's prompt"
    )


@pytest.mark.parametrize("path", [r"C:\VMs", "c:/VMs", r"..\VMs", r"\\server\share\VMs", "/srv/vms"])
def test_a_path_on_a_drive_that_exists_or_on_none_is_not_missed(path: str) -> None:
    assert missing_drive(path, (C,)) == ""


def test_without_a_list_nothing_is_missing() -> None:
    assert missing_drive(r"F:\VMs", ()) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="is about other systems")
def test_another_system_has_no_such_drives() -> None:
    with pytest.raises(OSError, match="only Windows"):
        drives()
