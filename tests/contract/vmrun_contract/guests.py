"""A guest with Tools, and the words of its operating system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from guest_lab import PASSWORD, USER, RealGuest

from harness.vmrun.discovery import Hypervisor
from harness.vmware.vmx import Vmx
from vmrun_contract.bench import Bench, Vm
from vmrun_contract.live import LiveBench
from vmrun_contract.machines import Mould

PASSWORD_VARIABLE = "CONTRACT_PASSWORD"
_READY_S = 600.0


@dataclass(frozen=True)
class GuestSystem:
    """The paths and commands of one guest operating system.

    Attributes:
        shell: A program that takes one command.
        option: What stands before the command.
        one_word: Whether option and command are one word: Windows guests take the arguments as one text.
        temporary: A directory that everybody may write to, with its separator at the end.
        file: A file that is there.
        directory: A directory that is there.
        long: A command that takes minutes.
    """

    shell: str
    option: str
    one_word: bool
    temporary: str
    file: str
    directory: str
    long: str

    def command(self, text: str) -> tuple[str, ...]:
        """Return the words of `runProgramInGuest` for a command of the shell."""
        return (self.shell, f"{self.option} {text}") if self.one_word else (self.shell, self.option, text)


SYSTEMS = {
    "linux": GuestSystem(
        shell="/bin/sh",
        option="-c",
        one_word=False,
        temporary="/tmp/",
        file="/etc/passwd",
        directory="/etc",
        long="sleep 300",
    ),
    "windows": GuestSystem(
        shell=r"C:\Windows\System32\cmd.exe",
        option="/c",
        one_word=True,
        temporary="C:\\Users\\Public\\",
        file=r"C:\Windows\win.ini",
        directory=r"C:\Windows",
        long="ping -n 300 127.0.0.1",
    ),
}


@dataclass(frozen=True)
class Guest:
    """A running machine with Tools, and an account in it."""

    vm: Vm
    login: tuple[str, str]
    system: GuestSystem

    @property
    def wrong_login(self) -> tuple[str, str]:
        """The same account with another password."""
        return self.login[0], "not-" + self.login[1]


@dataclass(frozen=True)
class Account:
    """The guest given by option: its VMX, off, and an account in it."""

    vmx: Path
    user: str
    password: str


def replayed(bench: Bench) -> Guest:
    """Return the guest of a transcript."""
    return Guest(bench.vm("guest"), ("user", "secret"), SYSTEMS[bench.guest_system])


def brought_up(bench: LiveBench, account: Account) -> Guest:
    """Return a running clone of that guest, its Tools answering.

    The guest itself stays as it is.
    """
    source = str(account.vmx.resolve())
    bench.allowed.add(source)
    vm = bench.vm("guest")
    windows = (Vmx.read(account.vmx).get("guestOS") or "").lower().startswith("win")
    bench.guest_system = "windows" if windows else "linux"
    guest = Guest(vm, (account.user, account.password), SYSTEMS[bench.guest_system])
    bench("clone", source, vm, "full").silent()
    bench("start", vm, "nogui").silent()
    bench.eventually(lambda: _answers(bench, guest), _READY_S)
    return guest


def of_the_image(real: RealGuest, hypervisor: Hypervisor, mould: Mould) -> tuple[LiveBench, Guest]:
    """Return the guest of the work-alike's own tests, and its bench."""
    bench = LiveBench("vmrun-qemu", hypervisor.with_home(real.vmrun.home), real.vmrun.vms, mould)
    guest = Guest(bench.vm("guest"), (USER, PASSWORD), SYSTEMS["linux"])
    assert guest.vm == str(real.vmx)
    return bench, guest


def _answers(bench: LiveBench, guest: Guest) -> bool:
    state = bench("checkToolsState", guest.vm)
    if state.lines == ["installed"]:
        bench.settle("tools-installed-status", str(state.code))
    probe = bench("fileExistsInGuest", guest.vm, guest.system.file, login=guest.login)
    assert "Invalid user name or password" not in probe.text, probe.text
    return probe.lines == ["The file exists."]
