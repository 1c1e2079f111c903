"""The `lab` command as a test calls it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result
from fake_run import FakeRun
from lab_file import changed

from harness.cli.main import main
from harness.lab.selection import Selection, driver, select
from harness.ownership.ledger import Ledger, MachineEntry
from harness.ownership.marker import write_marker
from harness.vmrun.discovery import Hypervisor, Kind
from harness.vmrun.driver import Vmrun

VMWARE = Hypervisor(Kind.VMWARE, ("no-such-vmrun",), ("no-such-disk-tool",), "VMware Workstation 17")
TARGET = ("vmrun", "-T", "ws")


def run_lab(*words: object, replacements: dict[Callable[..., object], Callable[..., object]] | None = None) -> Result:
    """Run `lab` with these words; a defect is raised."""
    result = CliRunner().invoke(main, [str(word) for word in words], obj=replacements)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def files_below(path: Path) -> list[Path]:
    return sorted(path.rglob("*"))


class CommandLine:
    """`lab` on the shipped lab file, with its VMs below `directory`, on VMware.

    Attributes:
        file: The lab file.
        vms: The directory of the VMs.
        vmrun: What vmrun answers; as long as nothing is scripted, the program cannot be started.
        replacements: Functions of the harness -> what the command calls in their place.
    """

    def __init__(self, directory: Path) -> None:
        self.vms = directory / "vms"
        self.file = directory / "scenarios" / "lab.yaml"
        self.file.parent.mkdir()
        self.file.write_text(changed((r"'F:\VMs\AirgapLab'", "../vms")), encoding="utf-8")
        self.vmrun = FakeRun()
        self.replacements: dict[Callable[..., object], Callable[..., object]] = {select: self.select}

    def __call__(self, command: str, *words: object) -> Result:
        """Run a subcommand on the lab file."""
        return run_lab(command, "--lab", self.file, *words, replacements=self.replacements)

    def select(self, lab_file: Path, *, vmrun: str | None = None, overlay: str | None = None) -> Selection:
        """Select the lab with VMware as the hypervisor, whatever this host has."""
        return select(lab_file, vmrun=vmrun, overlay=overlay, find=lambda **_: VMWARE)

    def script_vmrun(self, *answers: tuple[tuple[str, ...], str], running: tuple[str, ...] = ()) -> None:
        """Answer `list` with these VMs, and these commands with their texts."""
        self.replacements[driver] = lambda selection: Vmrun(("vmrun",), run=self.vmrun)
        listed = "".join(f"{line}\n" for line in (f"Total running VMs: {len(running)}", *running))
        self.vmrun.on(*TARGET, "list", says=listed)
        for words, says in answers:
            self.vmrun.on(*TARGET, *words, says=says)

    def edit(self, old: str, new: str) -> None:
        """Replace the one place of a text in the lab file."""
        text = self.file.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.vms / "lab-ledger.json", "airgap-lab")

    def leave_vm(self) -> Path:
        """Leave a VM in the ledger, with a foreign file in its directory; return the directory."""
        directory = self.vms / "k3s-master1"
        machine = MachineEntry("k3s-master1", str(directory), "run-1", "2026-01-02T03:04:05+00:00", "me@here")
        self.ledger.write(machine)
        directory.mkdir()
        write_marker(directory, machine.token, "about")
        for name in ("k3s-master1.vmdk", "serial-1.log", "thesis.docx"):
            (directory / name).write_text(name)
        return directory
