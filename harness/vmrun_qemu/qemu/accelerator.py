"""Choose the accelerator, proved by a probe guest.

`/dev/kvm` may exist, open, and run a BIOS, and still hang every kernel (nested hosts do this). So an accelerator
is used only when the processor has the feature it needs *and* a probe guest ran to its end with it: a boot sector that
enters long mode with paging, takes page faults, writes model specific registers, reloads its page tables and answers
on a debug port. Without an answer in time TCG is used, which needs nothing of the host.

A success is cached until the host restarts or QEMU changes. A failure, which takes time and may be due to a busy host,
is cached for some minutes. What can be checked in a moment is checked each time.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, PowerOnFailure
from harness.vmrun_qemu.base.process import run
from harness.vmrun_qemu.qemu.locate import Qemu
from harness.vmrun_qemu.qemu.probe_sector import ANSWER, SECTOR

_PROBE_S = 10.0
# A failure of the probe guest is cached for this time.
_FAILURE_CACHE_S = 600.0
_ARGUMENTS = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    "whpx": ("-accel", "whpx,kernel-irqchip=off", "-cpu", "max"),
    "hvf": ("-accel", "hvf", "-cpu", "host"),
    # The translation cache is one that a booting Linux does not overflow.
    "tcg": ("-accel", "tcg,thread={threads},tb-size=512", "-cpu", "max"),
}
# Before 8.1 TCG could keep the translation of an instruction that another virtual processor had just replaced: a Linux
# guest that patches itself (static keys, at boot and when modules are loaded) then takes the same breakpoint for ever,
# on all its processors. Seen with 7.2 at one boot in ten or so on a busy host; one thread for all virtual processors
# cannot race with itself. (QEMU commit "accel/tcg: Always lock pages before translation".)
_RACE_FREE = (8, 1)
# Linux trusts the time stamp counters of several processors only where Intel made them (arch/x86/kernel/tsc.c,
# `unsynchronized_tsc`); the model of QEMU is one of AMD. Without them it asks the HPET: seen to take a third of the
# time of a guest with two processors. The counters of TCG are one, and in step.
_SEVERAL_PROCESSORS = ",vendor=GenuineIntel"
_NATIVE = {"linux": "kvm", "win32": "whpx", "darwin": "hvf"}


@dataclass(frozen=True)
class Accelerator:
    """The accelerator to use, and the reason in one sentence."""

    name: str
    why: str

    def arguments(self, version: tuple[int, ...], cpus: int = 1) -> tuple[str, ...]:
        """Return the arguments for it, that version of QEMU and that number of processors."""
        threads = os.environ.get("VMRUN_QEMU_TCG_THREADS") or ("multi" if version >= _RACE_FREE else "single")
        *words, model = (word.format(threads=threads) for word in _ARGUMENTS[self.name])
        return (*words, model + (_SEVERAL_PROCESSORS if self.name == "tcg" and cpus > 1 else ""))


def kvm_problem() -> str:
    """Return why KVM is not probed, or an empty text."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm is absent or not accessible to this user"
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        flags = ""
    if not re.search(r"\b(vmx|svm)\b", flags):
        return "/dev/kvm opens, but the processor offers neither vmx nor svm: kernels hang under such a KVM"
    return ""


def probe(qemu: Qemu, name: str) -> bool:
    """Return whether the probe guest answers from long mode with that accelerator."""
    with tempfile.TemporaryDirectory(prefix="vq-probe-") as folder:
        image = Path(folder) / "probe.img"
        image.write_bytes(SECTOR + bytes(64 * 1024 - len(SECTOR)))
        answer = Path(folder) / "answer"
        argv = [
            str(qemu.binary), *Accelerator(name, "").arguments(()), "-m", "160",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "pc", *(["-L", str(qemu.data)] if qemu.data else []),
            "-drive", f"file={image.as_posix()},format=raw,if=ide,index=0,media=disk",
            "-chardev", f"file,id=answer,path={answer.as_posix()}",
            "-device", "isa-debugcon,iobase=0xe9,chardev=answer", "-device", "isa-debug-exit,iobase=0xf4",
        ]  # fmt: skip
        run(argv, _PROBE_S)
        return answer.is_file() and answer.read_bytes().endswith(ANSWER)


@dataclass(frozen=True)
class Checks:
    """The checks of this host.

    Attributes:
        kvm_problem: Why KVM is not probed, or an empty text.
        probe: Whether the probe guest gets to its end with an accelerator.
    """

    kvm_problem: Callable[[], str] = kvm_problem
    probe: Callable[[Qemu, str], bool] = probe


def choose(qemu: Qemu, checks: Checks = Checks()) -> Accelerator:
    """Return the accelerator that works on this host.

    The verdict of the probe guest is cached. `VMRUN_QEMU_ACCEL` names an accelerator without a probe.

    Raises:
        PowerOnFailure: It names an unknown one.
    """
    named = os.environ.get("VMRUN_QEMU_ACCEL", "")
    if named in _ARGUMENTS:
        return Accelerator(named, "VMRUN_QEMU_ACCEL says so")
    if named:
        wrong = f"VMRUN_QEMU_ACCEL = {named}: expected one of {', '.join(_ARGUMENTS)}"
        raise PowerOnFailure(wrong, f"{INVALID_PARAMETER}: {wrong}")
    native = _NATIVE.get(sys.platform, "")
    if not native:
        return Accelerator("tcg", f"no accelerator is known for {sys.platform}")
    problem = checks.kvm_problem() if native == "kvm" else ""
    return Accelerator("tcg", problem) if problem else _cached_verdict(qemu, native, checks)


def _cached_verdict(qemu: Qemu, native: str, checks: Checks) -> Accelerator:
    """Return the verdict of the probe guest, from the cache if possible."""
    memory = home.root() / "accelerator.json"
    key, now = _host_key(qemu), time.time()
    known = home.read_json(memory)
    same = isinstance(known, dict) and known.get("key") == key
    if same and (known["name"] == native or abs(now - known.get("at", 0)) < _FAILURE_CACHE_S):
        return Accelerator(known["name"], known["why"])
    verdict = _prove(qemu, native, checks)
    home.write_json(memory, {"key": key, "at": now, **asdict(verdict)})
    return verdict


def _prove(qemu: Qemu, native: str, checks: Checks) -> Accelerator:
    if checks.probe(qemu, native):
        return Accelerator(native, f"the probe guest got to its end with {native}")
    return Accelerator("tcg", f"the probe guest did not get to its end with {native} within {_PROBE_S:.0f} s")


def _host_key(qemu: Qemu) -> list[str]:
    binary = qemu.binary.stat()
    return [str(qemu.binary), str(binary.st_mtime_ns), str(binary.st_size), _boot_id()]


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(round(psutil.boot_time() / 60))
