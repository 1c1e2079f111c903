"""A VM that is off, with a small real disk whose content is a few marks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.vmrun_qemu.disks import images
from harness.vmrun_qemu.disks.vm_directory import VmDirectory
from harness.vmware.vmx import Vmx

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
VMX = 'sata0.present = "TRUE"\nsata0:0.present = "TRUE"\nsata0:0.fileName = "m.vmdk"\n'


def new_vm(folder: Path) -> VmDirectory:
    """Return a VM with a blank disk."""
    folder.mkdir()
    (folder / "m.vmx").write_text(VMX, encoding="utf-8")
    images.create(folder / "m.vmdk", 2 << 20, "monolithicSparse", "lsilogic", "")
    return VmDirectory(folder / "m.vmx", Vmx.parse(VMX))


def mark(directory: VmDirectory, number: int) -> None:
    """Write a mark at its own place on the present disk."""
    (disk,) = directory.disks().values()
    qemu_io(disk, f"write -P {number} {number * 64}k 64k")


def marks(disk: Path) -> set[int]:
    """Return the marks that a disk and its backing chain hold."""
    return {number for number in range(1, 8) if "failed" not in qemu_io(disk, f"read -P {number} {number * 64}k 64k")}


def qemu_io(disk: Path, command: str) -> str:
    argv = ["qemu-io", "-f", "vmdk", "-c", command, str(disk)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr
