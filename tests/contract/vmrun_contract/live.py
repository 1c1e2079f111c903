"""A bench on an installed `vmrun`: `vmrun-qemu` or VMware's own.

Nothing outside the bench's own directory is touched: a command that names another VMX, or that changes the host's
networks, is not run on VMware's vmrun at all.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.core.errors import ProcessError
from harness.core.text import decode
from harness.system import process
from harness.vmrun.discovery import Hypervisor, Kind
from harness.vmrun.driver import Vmrun
from harness.vmrun.paths import same_vmx
from harness.vmrun.vmware_log import error_box
from harness.vmware.vmx import Vmx
from vmrun_contract.bench import DISK_TOOL, Bench, Vm
from vmrun_contract.machines import Mould
from vmrun_contract.transcript import Names

_POLL_S = 0.2
_OFF_S = 120.0
_CHANGES_THE_HOST = (
    "setportforwarding",
    "deleteportforwarding",
    "setnetworkadapter",
    "addnetworkadapter",
    "deletenetworkadapter",
)
_PNG = b"\x89PNG\r\n\x1a\n"


class LiveBench(Bench):
    """A `vmrun` that is there.

    Args:
        name: The subject's.
        hypervisor: What to call; the embedded one's home is in the parent of `vms`.
        vms: The directory of all machines of this bench.
        mould: Where new machines' disk and medium come from.
    """

    def __init__(self, name: str, hypervisor: Hypervisor, vms: Path, mould: Mould) -> None:
        super().__init__(name, sys.platform, Names(str(vms.resolve()), os.sep))
        self.hypervisor = hypervisor
        self._mould = mould
        self.allowed: set[str] = set()  # VMX paths outside that a guest test may clone

    @classmethod
    def fresh(cls, name: str, hypervisor: Hypervisor, directory: Path, mould: Mould) -> LiveBench:
        """Return a bench in a directory that is not there yet."""
        (directory / "vms").mkdir(parents=True)
        return cls(name, hypervisor.with_home(directory / "home"), directory / "vms", mould)

    @property
    def changes_the_host(self) -> bool:
        return self.hypervisor.kind is Kind.VMWARE

    @property
    def argv(self) -> tuple[str, ...]:
        return self.hypervisor.vmrun_argv

    @property
    def env(self) -> Mapping[str, str]:
        return self.hypervisor.env

    @property
    def host_type_words(self) -> tuple[str, ...]:
        return ("-T", self.hypervisor.host_type)

    def execute(self, words: tuple[str, ...], seconds: float) -> tuple[int, str, str] | None:
        self._guard(words)
        disk = words[:1] == (DISK_TOOL,)
        argv = (*self.hypervisor.vdiskmanager_argv, *words[1:]) if disk else (*self.argv, *words)
        try:
            done = process.run(argv, timeout_s=seconds, env=self.env)
        except ProcessError as error:
            if isinstance(error.__cause__, OSError):
                raise
            return None
        return done.returncode, done.stdout, done.stderr

    def _guard(self, words: tuple[str, ...]) -> None:
        for word in words:
            named = word.lower().endswith(".vmx") and word not in self.allowed
            assert not named or word.startswith(self.names.vms), f"not ours: {word}"
        if self.changes_the_host:
            assert not set(_CHANGES_THE_HOST) & {word.lower() for word in words}, f"it would change the host: {words}"

    def make(self, vm: Vm, settings: Mapping[str, str]) -> None:
        self._mould.cast(Path(vm), settings)

    def edit(self, vm: Vm, key: str, value: str) -> None:
        vmx = Vmx.read(vm)
        vmx.set(key, value)
        try:
            vmx.write(vm)
        except PermissionError:
            pytest.skip("this host does not let the VMX of a running machine be changed")

    def write(self, path: str, text: str) -> None:
        assert path.startswith(self.names.vms)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")

    def folder(self, path: str) -> None:
        assert path.startswith(self.names.vms)
        Path(path).mkdir(parents=True)

    def see(self, words: tuple[str, ...]) -> Any:
        what, path = words[0], Path(words[1])
        match what:
            case "setting":
                return Vmx.read(path).get(words[2])
            case "locks":
                return sorted(found.name for found in path.parent.glob("*.lck"))
            case "reason":
                return error_box(decode((path.parent / "vmware.log").read_bytes()))
            case "suffixes":
                return sorted({found.suffix for found in path.parent.iterdir() if found.is_file()})
            case "exists":
                return path.exists()
            case "png":
                return path.is_file() and path.read_bytes().startswith(_PNG)
            case "text":
                return path.read_text(encoding="utf-8")
        raise ValueError(f"cannot look at {what}")

    def same(self, path: str, vm: Vm) -> bool:
        return same_vmx(path, vm, self.platform)

    def attempts(self, seconds: float) -> Iterator[None]:
        end = time.monotonic() + seconds
        yield
        while time.monotonic() < end:
            time.sleep(_POLL_S)
            yield

    def close(self) -> list[str]:
        """Stop every machine, delete the directory, and return the problems."""
        problems = [problem for vm in self.machines.values() for problem in self._off(vm)]
        if not self.changes_the_host:
            problems += _left_behind(self.directory.parent)
        if not problems:
            shutil.rmtree(self.directory.parent, ignore_errors=sys.platform == "win32")
        return problems

    def _off(self, vm: Vm) -> list[str]:
        if not Path(vm).is_file():
            return []
        driver = Vmrun(self.argv, host_type=self.hypervisor.host_type, env=self.env)
        try:
            for attempt in range(3):
                if not driver.is_running(Path(vm)):
                    return []
                if attempt:
                    self.execute((*self.host_type_words, "unpause", vm), _OFF_S)
                self.execute((*self.host_type_words, "stop", vm, "hard"), _OFF_S)
        except (ProcessError, OSError, AssertionError) as error:
            return [f"{vm}: {error}"]
        return [f"{vm} still runs"] if driver.is_running(Path(vm)) else []


def _left_behind(directory: Path) -> list[str]:
    """Kill and return the remaining processes of a directory.

    `vmrun-qemu` has none when all machines are off.
    """
    end = time.monotonic() + 15
    while (left := list(_processes(directory))) and time.monotonic() < end:
        time.sleep(_POLL_S)
    for found in left:
        found.kill()
    return [f"left behind: {' '.join(found.cmdline())}" for found in left if found.is_running()]


def _processes(directory: Path) -> Iterator[psutil.Process]:
    for found in psutil.process_iter(["cmdline", "cwd", "status"]):
        traces = [*(found.info["cmdline"] or []), found.info["cwd"] or ""]
        dead = found.info["status"] == psutil.STATUS_ZOMBIE
        if not dead and any(str(directory) in trace for trace in traces):
            yield found
