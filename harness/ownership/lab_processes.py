"""Processes of a lab that run now, found without its ledger.

Each was started with a variable that names the lab's directory, or the home of its embedded hypervisor. A variable
alone is no proof, as a shell passes it on: the command line has to be that of a program of ours as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.core.layout import LAB_VARIABLE

_EMBEDDED = "harness.vmrun_qemu."
_SUPERVISOR = "harness.vmrun_qemu.supervisor.main"
_PROXY = "registry_proxy.py"


@dataclass(frozen=True)
class LabProcess:
    """A process that belongs to a lab.

    Attributes:
        what: What it does, for a person.
        started: Its starting time, as psutil reports it.
        argv: Its command line.
        vmx: The VM that it runs; None for other processes.
    """

    what: str
    pid: int
    started: float
    argv: tuple[str, ...]
    vmx: Path | None = None

    def __str__(self) -> str:
        return f"{self.what}, process {self.pid}"

    def end(self, grace_s: float = 10.0) -> bool:
        """End exactly this process and its children; return whether they ended."""
        try:
            process = psutil.Process(self.pid)
            if process.create_time() != self.started:
                return True
            family = [process, *process.children(recursive=True)]
            process.terminate()
            for remaining in psutil.wait_procs(family, timeout=grace_s)[1]:
                remaining.kill()
            return not psutil.wait_procs(family, timeout=grace_s)[1]
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False


def find_lab_processes(vm_directory: Path, home: tuple[str, Path] | None) -> tuple[LabProcess, ...]:
    """Return the visible processes of the lab in that directory.

    Those are the ones that this user may look at.

    Args:
        vm_directory: The directory of the lab's VMs.
        home: The variable and the path of the embedded hypervisor's home; None with VMware.
    """
    found = []
    for process in psutil.process_iter():
        try:
            argv, environ = process.cmdline(), process.environ()
            judged = judge_process(argv, environ, vm_directory, home)
            if judged is not None and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                what, vmx = judged
                found.append(LabProcess(what, process.pid, process.create_time(), tuple(argv), vmx))
        except (psutil.Error, OSError):
            continue  # a process of another user, or one that has just ended
    return tuple(found)


def judge_process(
    argv: list[str], environ: Mapping[str, str], vm_directory: Path, home: tuple[str, Path] | None
) -> tuple[str, Path | None] | None:
    """Return what a process of the lab does, and its VMX.

    None for any other process. Pure, but for links.
    """
    if _same(environ.get(LAB_VARIABLE), vm_directory):
        if "serve" in argv[1:2]:
            return "the container registry", None
        if any(Path(word).name == _PROXY for word in argv[1:]):
            return "the proxy of the container registry", None
    if home is None or not _same(environ.get(home[0]), home[1]):
        return None
    module = next((number for number, word in enumerate(argv) if word.startswith(_EMBEDDED)), None)
    if module is not None and argv[module] == _SUPERVISOR and argv[module + 1 :]:
        return f"the supervisor of {argv[module + 1]}", Path(argv[module + 1])
    if module is not None:
        return f"the embedded hypervisor ({argv[module].removeprefix(_EMBEDDED)})", None
    below = os.path.realpath(vm_directory) + os.sep
    if argv and Path(argv[0]).name.startswith("qemu") and any(below in word for word in argv[1:]):
        return "QEMU", None
    return None


def _same(value: str | None, path: Path) -> bool:
    return bool(value) and os.path.normcase(os.path.realpath(value or "")) == os.path.normcase(os.path.realpath(path))
