"""Which hypervisor drives the lab, and why that one.

The first of these that can be used: `--vmrun`, the variable `VMRUN_PATH`, `hypervisor.vmrun` of the lab file, VMware's
own places, `vmrun` on PATH, the embedded one on QEMU. The word `embedded` at any of the first three means the embedded
one. What was asked for by name has to work; what was searched is passed over with its reason.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from harness.core.errors import HarnessError, HostError, UsageError
from harness.system.process import Completed, RunProgram
from harness.vmrun import Vmrun
from harness.vmrun.errors import HostTypeMissing, VmrunUnavailable
from harness.vmrun.locations import (
    QEMU,
    HostSystem,
    Source,
    disk_tool,
    qemu_places,
    qemu_remedy,
    this_host,
    vmware_places,
)

EMBEDDED = "embedded"
NO_VERSION = "VMware (vmrun names no version)"
HOME_VARIABLE = "VMRUN_QEMU_HOME"
# VMware shows a screen to guest users only; evidence of a guest that does not boot has to do without one.
SCREEN_VARIABLE = "VMRUN_QEMU_SCREEN"
_MODULE = (sys.executable, "-m", "harness.vmrun_qemu")
_DISK_MODULE = (sys.executable, "-m", "harness.vmrun_qemu.vdiskmanager")
_EMBEDDED_PROGRAMS = ("vmrun-qemu", "vmrun-qemu.exe")
_PROBE_S = 20.0
_MINIMUM_QEMU = (7, 2)  # the first release with `-netdev stream`


class Kind(StrEnum):
    """Whose hypervisor it is."""

    VMWARE = "vmware"
    EMBEDDED = "embedded"


@dataclass(frozen=True)
class Candidate:
    """One hypervisor that came up, and why it was taken or not."""

    source: Source
    path: str
    taken: bool
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
        host_type: What `vmrun -T` wants to hear: it answered to that.
        candidates: Everything that came up, in order.
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
        """Where the embedded one keeps its state; None for VMware's own."""
        text = self.env.get(HOME_VARIABLE)
        return Path(text) if text else None

    def with_home(self, home: Path) -> Hypervisor:
        """Return the same with the embedded one's state in that directory; VMware's own has no such thing."""
        if self.kind is Kind.VMWARE:
            return self
        return replace(self, env={**self.env, HOME_VARIABLE: str(home), SCREEN_VARIABLE: "anybody"})


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
class Refused:
    """A candidate that cannot be used: why, in one word and in a sentence."""

    fault: Fault
    detail: str


@dataclass(frozen=True)
class Proposal:
    """A candidate that nobody has looked at."""

    source: Source
    path: str

    @property
    def named(self) -> bool:
        """Whether somebody asked for it by name."""
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
        base: Where a relative path of the lab file starts.
        host_type: `hypervisor.type` of the lab file; another one that answers is taken in its place.
        system: The host to search.

    Raises:
        UsageError: One that was asked for by name cannot be used.
        HostError: None can be used.
    """
    host = system or this_host()
    if setting and base is not None and setting != EMBEDDED and os.path.dirname(setting):  # noqa: PTH120  (text)
        setting = str(base / setting)
    candidates: list[Candidate] = []
    taken: Hypervisor | None = None
    for proposal in proposals(option, setting, host):
        if taken is not None:
            candidates.append(Candidate(proposal.source, proposal.path, taken=False, why="not looked at"))
            continue
        found = probe(proposal, host_type, host)
        if isinstance(found, Hypervisor):
            taken = found
            candidates.append(Candidate(proposal.source, proposal.path, taken=True, why=found.version))
            continue
        if proposal.named:
            raise _refusal(proposal, found, host)
        why = f"{found.fault}: {found.detail}" if found.detail else found.fault.value
        candidates.append(Candidate(proposal.source, proposal.path, taken=False, why=why))
    if taken is None:
        raise _nothing(candidates, host)
    return replace(taken, candidates=tuple(candidates))


def proposals(option: str | None, setting: str | None, system: HostSystem) -> tuple[Proposal, ...]:
    """Return what to look at, in order; after one that was asked for by name nothing else is looked at."""
    explicit = (
        (Source.OPTION, option),
        (Source.ENVIRONMENT, system.environ.get("VMRUN_PATH")),
        (Source.LAB_FILE, setting),
    )
    found = [Proposal(source, value) for source, value in explicit if value]
    found += [Proposal(source, path) for source, path in vmware_places(system)]
    on_path = system.which("vmrun")
    if on_path and on_path not in {proposal.path for proposal in found}:
        found.append(Proposal(Source.PATH, on_path))
    return (*found, Proposal(Source.EMBEDDED, EMBEDDED))


def probe(proposal: Proposal, host_type: str, system: HostSystem) -> Hypervisor | Refused:
    """Return the hypervisor behind a proposal, or why it cannot be used."""
    path = proposal.path
    if path == EMBEDDED:
        return _probe_embedded(_MODULE, _DISK_MODULE, system)
    if not system.is_file(path):
        path = system.which(path) or ""
        if not path:
            return Refused(Fault.NOT_FOUND, "")
    if not system.is_executable(path):
        return Refused(Fault.NOT_EXECUTABLE, "")
    folder, name = system.split(path)
    if name in _EMBEDDED_PROGRAMS:
        disk = system.join(folder, name.replace("vmrun", "vdiskmanager"))
        if not system.is_file(disk):
            return Refused(Fault.NO_DISK_TOOL, f"{disk} does not exist")
        return _probe_embedded((path,), (disk,), system)
    tool = disk_tool(path, system)
    if tool is None:
        return Refused(Fault.NO_DISK_TOOL, f"neither beside {path} nor on PATH")
    return _probe_vmware(path, tool, host_type, system)


def _probe_vmware(path: str, tool: str, host_type: str, system: HostSystem) -> Hypervisor | Refused:
    """Ask for its list as each product that may be installed; the first that answers is it."""
    first = "fusion" if system.platform == "darwin" else host_type
    refused = Refused(Fault.NOT_ANSWERING, "")
    for kind in dict.fromkeys((first, "player")):
        vmrun = Vmrun((path,), host_type=kind, run=_impatient(system.run))
        try:
            vmrun.list_running()
            version = vmrun.version()
        except VmrunUnavailable as error:
            return Refused(Fault.NOT_EXECUTABLE, error.what)
        except HarnessError as error:
            refused = Refused(Fault.NOT_ANSWERING, _one_line(error))
            if not isinstance(error, HostTypeMissing):
                break
            continue
        name = str(version) if version else NO_VERSION
        return Hypervisor(Kind.VMWARE, (path,), (tool,), name, kind)
    return refused


def _probe_embedded(vmrun: tuple[str, ...], disk: tuple[str, ...], system: HostSystem) -> Hypervisor | Refused:
    places = qemu_places(system)
    if not places:
        return Refused(Fault.NO_QEMU, f"{QEMU} is not installed")
    folder, name = system.split(places[0])
    for program in (places[0], system.join(folder, name.replace(QEMU, "qemu-img"))):
        if not system.is_file(program):
            return Refused(Fault.NO_QEMU, f"{program} does not exist")
    try:
        said = system.run((places[0], "--version"), timeout_s=_PROBE_S).output
    except HarnessError as error:
        return Refused(Fault.NO_QEMU, _one_line(error))
    version = re.search(r"version (\d+)\.(\d+)\S*(?: \([^)]*\))?", said)
    if version is None:
        return Refused(Fault.NO_QEMU, f"{places[0]} names no version")
    if (int(version[1]), int(version[2])) < _MINIMUM_QEMU:
        return Refused(Fault.NO_QEMU, f"{places[0]} is {version[0]}; 7.2 or newer is needed")
    return Hypervisor(Kind.EMBEDDED, vmrun, disk, "QEMU " + version[0].removeprefix("version "))


def _impatient(run: RunProgram) -> RunProgram:
    """Return the process door with the probe's time limit: a search must not wait a minute for each candidate."""

    def limited(
        argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None, keep_children: bool = False
    ) -> Completed:
        return run(argv, timeout_s=min(timeout_s, _PROBE_S), env=env, keep_children=keep_children)

    return limited


def _one_line(error: HarnessError) -> str:
    return " ".join(f"{error.what}: {error.said}".split()).rstrip(": ")


def _refusal(proposal: Proposal, refused: Refused, system: HostSystem) -> UsageError:
    subject = "the embedded hypervisor" if proposal.path == EMBEDDED else "vmrun"
    return UsageError(
        f"{subject} cannot be used: {refused.fault}",
        where=f"{proposal.source}: {proposal.path}",
        said=refused.detail,
        remedy=_REMEDIES.get(refused.fault) or qemu_remedy(system),
    )


def _nothing(candidates: list[Candidate], system: HostSystem) -> HostError:
    seen = "\n".join(f"{item.source}: {item.path}: {item.why}" for item in candidates)
    return HostError(
        "no hypervisor can be used",
        said=seen,
        remedy=f"install VMware Workstation Pro, or have the embedded one ready: {qemu_remedy(system)}",
    )
