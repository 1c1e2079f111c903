"""A host with prepared files and programs, for the search of hypervisors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fake_run import FakeRun

from harness.vmrun.discovery import Hypervisor, find_hypervisor
from harness.vmrun.locations import HostSystem

PF = r"C:\Program Files\VMware\VMware Workstation"
X86 = r"C:\Program Files (x86)\VMware\VMware Workstation"
ZERO = b"Total running VMs: 0\r\n"
USAGE = (b"\r\nvmrun version 1.17.0 build-24583834\r\n\r\nUsage: vmrun\r\n", 4294967295)
QEMU = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c)\n"


@dataclass
class FakeHost:
    """A host with exactly these files and these programs on PATH."""

    platform: str
    files: set[str]
    path: Mapping[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    registry: tuple[str, ...] = ()
    plain: set[str] = field(default_factory=set)  # files that cannot be executed
    wheel: str | None = None
    run: FakeRun = field(default_factory=FakeRun)

    def system(self) -> HostSystem:
        return HostSystem(
            platform=self.platform,
            environ=self.environ,
            is_file=lambda path: path in self.files,
            is_executable=lambda path: path not in self.plain,
            which=self.path.get,
            registry_folders=lambda: self.registry,
            wheel_folder=lambda: self.wheel,
            run=self.run,
        )

    def vmware(self, folder: str, says: object = ZERO, kind: str = "ws") -> str:
        """Install a VMware product in that folder; return its vmrun."""
        tail = ".exe" if self.platform == "win32" else ""
        slash = "\\" if self.platform == "win32" else "/"
        vmrun = f"{folder}{slash}vmrun{tail}"
        self.files |= {vmrun, f"{folder}{slash}vmware-vdiskmanager{tail}"}
        self.run.on(vmrun, "-T", kind, "list", says=says).on(vmrun, says=USAGE)
        return vmrun

    def qemu(self, output: str = QEMU) -> FakeHost:
        self.files |= {"/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-img"}
        self.path = {**self.path, "qemu-system-x86_64": "/usr/bin/qemu-system-x86_64"}
        self.run.on("/usr/bin/qemu-system-x86_64", "--version", says=output)
        return self

    def find(self, option: str | None = None, setting: str | None = None, **more: str) -> Hypervisor:
        return find_hypervisor(option=option, setting=setting, system=self.system(), **more)  # type: ignore[arg-type]


def windows() -> FakeHost:
    return FakeHost("win32", set(), environ={"ProgramFiles": r"C:\Program Files"})


def linux() -> FakeHost:
    return FakeHost("linux", set())
