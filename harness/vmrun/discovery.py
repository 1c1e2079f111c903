"""Find the hypervisor that drives the lab.

The first usable one of: `--vmrun`, the variable `VMRUN_PATH`, `hypervisor.vmrun` of the lab file, VMware's default
locations, `vmrun` on PATH, the embedded hypervisor on QEMU. The word `embedded` at any of the first three selects the
embedded one. A hypervisor that the user named must work; one that the search found is skipped with its reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from harness.core.errors import HarnessError, HostError, UsageError
from harness.system.process import Completed, RunProgram
from harness.system.python import module_command
from harness.vmrun.errors import HostTypeMissing, VmrunUnavailable
from harness.vmrun.locations import (
    QEMU,
    HostSystem,
    Source,
    disk_tool,
    qemu_locations,
    qemu_remedy,
    service_remedy,
    this_host,
    vmware_locations,
)

EMBEDDED = "embedded"
NO_VERSION = "VMware (vmrun reports no version)"
HOME_VARIABLE = "VMRUN_QEMU_HOME"
# VMware captures a screen for guest users only, so a guest that does not boot has no picture in its evidence.
SCREEN_VARIABLE = "VMRUN_QEMU_SCREEN"
_MODULE = module_command("harness.vmrun_qemu")
_DISK_MODULE = module_command("harness.vmrun_qemu.vdiskmanager")
_EMBEDDED_PROGRAMS = ("vmrun-qemu", "vmrun-qemu.exe")
_PROBE_S = 20.0
_MINIMUM_QEMU = (7, 2)  # the first release with `-netdev stream`


class Kind(StrEnum):
    """The product: VMware's own, or the embedded hypervisor."""

    VMWARE = "vmware"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Candidate:
    """A hypervisor that was considered, and why it was selected or not."""

    source: Source
    path: str
    selected: bool
    why: str


@dataclass(frozen=True)
class Hypervisor:
    """The hypervisor of this session.

    Attributes:
        kind: VMware's own, or the embedded one.
        vmrun_argv: Program and first words of `vmrun`.
        vdiskmanager_argv: The same of `vmware-vdiskmanager`.
        env: Variables for both.
        version: Product and version, for people.
        host_type: The value of `vmrun -T` that it accepted.
        candidates: Every hypervisor that was considered, in order.
    """

    kind: Kind
    vmrun_argv: tuple[str, ...]
    vdiskmanager_argv: tuple[str, ...]
    version: str
    host_type: str = "ws"
    env: Mapping[str, str] = field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()

    @property
    def home(self) -> Path | None:
        """The state directory of the embedded hypervisor; None for VMware's."""
        text = self.env.get(HOME_VARIABLE)
        return Path(text) if text else None

    def with_home(self, home: Path) -> Hypervisor:
        """Return the same hypervisor with that state directory.

        VMware's own has no such directory and is returned unchanged.
        """
        if self.kind is Kind.VMWARE:
            return self
        return replace(self, env={**self.env, HOME_VARIABLE: str(home), SCREEN_VARIABLE: "without-login"})


class Fault(StrEnum):
    """Why a candidate cannot be used."""

    NOT_FOUND = "not found"
    NOT_EXECUTABLE = "not executable"
    NOT_ANSWERING = "not answering"
    NO_DISK_TOOL = "no vmware-vdiskmanager"
    NO_QEMU = "QEMU is missing"


_REMEDIES = {
    Fault.NOT_FOUND: "give the full path of vmrun itself, or `embedded`; `lab doctor` shows what is on this host",
    Fault.NOT_EXECUTABLE: "give the program itself, not a folder or a document; on Linux and macOS: chmod +x",
    Fault.NOT_ANSWERING: "run `vmrun list` by hand; on Windows, as administrator: `net start VMAuthdService`",
    Fault.NO_DISK_TOOL: "install VMware Workstation Pro, which brings it beside vmrun",
}


@dataclass(frozen=True)
class Unusable:
    """A candidate that cannot be used: the fault and its details."""

    fault: Fault
    detail: str


@dataclass(frozen=True)
class Proposal:
    """A candidate that was not probed yet."""

    source: Source
    path: str

    @property
    def explicit(self) -> bool:
        """Whether the user named it."""
        return self.source in (Source.OPTION, Source.ENVIRONMENT, Source.LAB_FILE)


def find_hypervisor(
    *,
    option: str | None = None,
    setting: str | None = None,
    base: Path | None = None,
    host_type: str = "ws",
    system: HostSystem | None = None,
) -> Hypervisor:
    """Return the hypervisor to use. Nothing is created.

    Args:
        option: The value of `--vmrun`.
        setting: `hypervisor.vmrun` of the lab file.
        base: The directory that a relative path of the lab file starts from.
        host_type: `hypervisor.type` of the lab file; another type that works is used in its place.
        system: The host to search.

    Raises:
        UsageError: One that the user named cannot be used.
        HostError: None can be used.
    """
    host = system or this_host()
    if setting and base is not None and setting != EMBEDDED and os.path.dirname(setting):  # noqa: PTH120  (text)
        setting = str(base / setting)
    candidates: list[Candidate] = []
    selected: Hypervisor | None = None
    for proposal in proposals(option, setting, host):
        if selected is not None:
            candidates.append(Candidate(proposal.source, proposal.path, selected=False, why="not probed"))
            continue
        found = probe(proposal, host_type, host)
        if isinstance(found, Hypervisor):
            selected = found
            candidates.append(Candidate(proposal.source, proposal.path, selected=True, why=found.version))
            continue
        if proposal.explicit:
            raise _usage_error(proposal, found, host)
        why = f"{found.fault}: {found.detail}" if found.detail else found.fault.value
        candidates.append(Candidate(proposal.source, proposal.path, selected=False, why=why))
    if selected is None:
        raise _no_hypervisor(candidates, host)
    return replace(selected, candidates=tuple(candidates))


def proposals(option: str | None, setting: str | None, system: HostSystem) -> tuple[Proposal, ...]:
    """Return the candidates to probe, in order.

    A candidate that the user named ends the search, because it must work.
    """
    explicit = (
        (Source.OPTION, option),
        (Source.ENVIRONMENT, system.environ.get("VMRUN_PATH")),
        (Source.LAB_FILE, setting),
    )
    found = [Proposal(source, value) for source, value in explicit if value]
    found += [Proposal(source, path) for source, path in vmware_locations(system)]
    on_path = system.which("vmrun")
    if on_path and on_path not in {proposal.path for proposal in found}:
        found.append(Proposal(Source.PATH, on_path))
    return (*found, Proposal(Source.EMBEDDED, EMBEDDED))


def probe(proposal: Proposal, host_type: str, system: HostSystem) -> Hypervisor | Unusable:
    """Probe a candidate: return the hypervisor, or why it cannot be used."""
    path = proposal.path
    if path == EMBEDDED:
        return _probe_embedded(_MODULE, _DISK_MODULE, system)
    if not system.is_file(path):
        path = system.which(path) or ""
        if not path:
            return Unusable(Fault.NOT_FOUND, "")
    if not system.is_executable(path):
        return Unusable(Fault.NOT_EXECUTABLE, "")
    folder, name = system.split(path)
    if name in _EMBEDDED_PROGRAMS:
        disk = system.join(folder, name.replace("vmrun", "vdiskmanager"))
        if not system.is_file(disk):
            return Unusable(Fault.NO_DISK_TOOL, f"{disk} does not exist")
        return _probe_embedded((path,), (disk,), system)
    tool = disk_tool(path, system)
    if tool is None:
        return Unusable(Fault.NO_DISK_TOOL, f"neither beside {path} nor on PATH")
    return _probe_vmware(path, tool, host_type, system)


def _probe_vmware(path: str, tool: str, host_type: str, system: HostSystem) -> Hypervisor | Unusable:
    """Probe with `vmrun list` as each product; the first that works counts."""
    from harness.vmrun.driver import Vmrun  # noqa: PLC0415 - saves 40 ms where no VMware is installed

    first = "fusion" if system.platform == "darwin" else host_type
    refused = Unusable(Fault.NOT_ANSWERING, "")
    for kind in dict.fromkeys((first, "player")):
        vmrun = Vmrun((path,), host_type=kind, run=_with_probe_limit(system.run))
        try:
            vmrun.list_running()
            version = vmrun.version()
        except VmrunUnavailable as error:
            return Unusable(Fault.NOT_EXECUTABLE, error.what)
        except HarnessError as error:
            refused = Unusable(Fault.NOT_ANSWERING, _one_line(error))
            if not isinstance(error, HostTypeMissing):
                break
            continue
        name = str(version) if version else NO_VERSION
        return Hypervisor(Kind.VMWARE, (path,), (tool,), name, kind)
    return refused


def _probe_embedded(vmrun: tuple[str, ...], disk: tuple[str, ...], system: HostSystem) -> Hypervisor | Unusable:
    programs = qemu_locations(system)
    if not programs:
        return Unusable(Fault.NO_QEMU, f"{QEMU} is not installed")
    folder, name = system.split(programs[0])
    for program in (programs[0], system.join(folder, name.replace(QEMU, "qemu-img"))):
        if not system.is_file(program):
            return Unusable(Fault.NO_QEMU, f"{program} does not exist")
    try:
        output = system.run((programs[0], "--version"), timeout_s=_PROBE_S).output
    except HarnessError as error:
        return Unusable(Fault.NO_QEMU, _one_line(error))
    version = re.search(r"version (\d+)\.(\d+)\S*(?: \([^)]*\))?", output)
    if version is None:
        return Unusable(Fault.NO_QEMU, f"{programs[0]} reports no version")
    if (int(version[1]), int(version[2])) < _MINIMUM_QEMU:
        return Unusable(Fault.NO_QEMU, f"{programs[0]} is {version[0]}; 7.2 or newer is needed")
    return Hypervisor(Kind.EMBEDDED, vmrun, disk, "QEMU " + version[0].removeprefix("version "))


def _with_probe_limit(run: RunProgram) -> RunProgram:
    """Return the process runner with a limit that suits a search."""

    def limited(
        argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None, keep_children: bool = False
    ) -> Completed:
        return run(argv, timeout_s=min(timeout_s, _PROBE_S), env=env, keep_children=keep_children)

    return limited


def _one_line(error: HarnessError) -> str:
    return " ".join(f"{error.what}: {error.detail}".split()).rstrip(": ")


def _usage_error(proposal: Proposal, refused: Unusable, system: HostSystem) -> UsageError:
    subject = "the embedded hypervisor" if proposal.path == EMBEDDED else "vmrun"
    return UsageError(
        f"{subject} cannot be used: {refused.fault}",
        where=f"{proposal.source}: {proposal.path}",
        detail=refused.detail,
        remedy=_REMEDIES.get(refused.fault) or qemu_remedy(system),
    )


def _no_hypervisor(candidates: list[Candidate], system: HostSystem) -> HostError:
    seen = "\n".join(f"{item.source}: {item.path}: {item.why}" for item in candidates)
    remedy = f"install VMware Workstation Pro, or prepare the embedded hypervisor: {qemu_remedy(system)}"
    silent = [item.path for item in candidates if item.why.startswith(Fault.NOT_ANSWERING)]
    if silent:
        remedy = f"{service_remedy(system)}; then run `{silent[0]} list` by hand"
    return HostError("no hypervisor can be used", detail=seen, remedy=remedy)
