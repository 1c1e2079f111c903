"""Running `qemu-img`: the program, its errors, clean-up."""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import posix_modes

from harness.vmrun_qemu.disks import qemu_img
from harness.vmrun_qemu.disks.qemu_img import DiskError


@posix_modes
def test_qemu_img_is_the_one_beside_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qemu, program = tmp_path / "qemu-system-x86_64", tmp_path / "qemu-img"
    for file in (qemu, program):
        file.write_text("#!/bin/sh\n", encoding="utf-8")
        file.chmod(0o755)
    monkeypatch.setenv("VMRUN_QEMU_BIN", str(qemu))
    assert qemu_img.tool() == str(program)
    monkeypatch.setenv("VMRUN_QEMU_BIN", str(tmp_path / "absent"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert qemu_img.tool() == str(program)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("qemu-img: d.vmdk: No space left on device", qemu_img.FULL),
        ("qemu-img: d.vmdk: Permission denied", qemu_img.NO_ACCESS),
        ("qemu-img: could not do it\n", "qemu-img: could not do it"),
        ("", qemu_img.INVALID),
    ],
)
def test_an_error_of_qemu_img_gets_vmwares_message(output: str, message: str) -> None:
    assert qemu_img.reason(output) == message


def test_the_number_of_a_message_is_for_vdiskmanager_only() -> None:
    assert (
        DiskError(f"Failed to create disk: {qemu_img.EXISTS}").plain == "Failed to create disk: The file already exists"
    )


def test_the_files_of_a_disk_are_found_by_name(tmp_path: Path) -> None:
    for name in ("d.vmdk", "d-s001.vmdk", "d-f002.vmdk", "d-flat.vmdk", "d-000001.vmdk", "dd.vmdk"):
        (tmp_path / name).touch()
    found = {file.name for file in qemu_img.files_of(tmp_path / "d.vmdk")}
    assert found == {"d.vmdk", "d-s001.vmdk", "d-f002.vmdk", "d-flat.vmdk"}
    assert qemu_img.files_of(tmp_path / "none" / "d.vmdk") == []
