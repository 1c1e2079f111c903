"""Machines for a bench: the lab's VMX, a blank disk, a small CD.

The disk is made by the disk tool.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from pathlib import Path

import pycdlib

from harness.config import load_lab
from harness.config.vmx_template import vmx_keys
from harness.core.layout import MachineFiles
from harness.vmrun.discovery import Hypervisor
from harness.vmrun.vdiskmanager import create_disk
from harness.vmware.vmx import Vmx

LAB_FILE = Path(__file__).parents[3] / "scenarios" / "lab.yaml"
DISK = "disk.vmdk"  # the same name in each machine: it stands inside the disk's own descriptor
MEDIUM = "medium.iso"
# What differs from the lab's machines: small, alone, and with nothing to boot from.
_SETTINGS = {
    "memsize": "64",
    "numvcpus": "1",
    "sata0:0.fileName": DISK,
    "sata0:1.startConnected": "FALSE",
}


class Mould:
    """Makes machines; the disk and the medium are made once and copied.

    Args:
        hypervisor: Its disk tool makes the disk.
        directory: For the originals.
    """

    def __init__(self, hypervisor: Hypervisor, directory: Path) -> None:
        self._hypervisor = hypervisor
        self._disk = directory / DISK
        self._medium = directory / MEDIUM

    def cast(self, vmx: Path, settings: Mapping[str, str]) -> None:
        """Create a machine at that path, off."""
        self._make_originals()
        vmx.parent.mkdir(parents=True)
        shutil.copyfile(self._disk, vmx.with_name(DISK))
        shutil.copyfile(self._medium, vmx.with_name(MEDIUM))
        file = Vmx.parse("")
        file.update({**lab_keys(vmx, vmx.with_name(MEDIUM)), **_SETTINGS, **settings}.items())
        file.write(vmx)

    def _make_originals(self) -> None:
        if not self._disk.exists():
            self._disk.parent.mkdir(parents=True, exist_ok=True)
            create_disk(self._hypervisor.vdiskmanager_argv, self._disk, 1, 0, env=self._hypervisor.env)
            write_medium(self._medium)


def lab_keys(vmx: Path, medium: Path) -> dict[str, str]:
    """Return the lab's VMX keys of its first machine, at that path."""
    spec = load_lab(LAB_FILE)
    name = next(iter(spec.machines))
    keys = vmx_keys(spec, name, MachineFiles(vmx.parent, vmx.stem), (medium,), "56" * 16)
    return {**keys, "displayName": vmx.stem}


def write_medium(path: Path) -> None:
    """Write an ISO image with one file."""
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, vol_ident="CONTRACT")
    text = b"contract\n"
    iso.add_fp(io.BytesIO(text), len(text), "/CONTRACT.TXT;1")
    iso.write(str(path))
    iso.close()
