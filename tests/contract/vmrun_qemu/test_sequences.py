"""Two hundred random sequences of commands on real QEMU, each answer and each disk compared with a model.

A failure names the sequence; `VMRUN_QEMU_SEQUENCE=<seed>/<number>` runs that one alone, `VMRUN_QEMU_SEQUENCES` says how
many there are. The commands run in this process (`main()`), the machines' supervisors and QEMUs are real processes.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import secrets
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from model import Answer, Model, Power
from qemu_lab import Vmrun, eventually, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.vmrun_qemu.main import main
from harness.vmware.vmx import Vmx

SEQUENCES = int(os.environ.get("VMRUN_QEMU_SEQUENCES", "200"))
PARTS = 8  # tests that may run at the same time, each with its share of the sequences
NAMES = ("a", "b", "B", "a/b", "none")
TARGETS = ("m", "c1", "c2")
VMX = """\
.encoding = "UTF-8"
displayName = "m"
config.version = "8"
virtualHW.version = "19"
guestOS = "other-64"
memsize = "16"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "m.vmdk"
"""


def run(*words: str | Path) -> Answer:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = main([str(word) for word in words])
    return status, output.getvalue()


class Player:
    """Does to real machines and to the model the same, and compares."""

    def __init__(self, vmrun: Vmrun, dice: random.Random) -> None:
        self.vmrun = vmrun
        self.dice = dice
        self.model = Model(vmrun.vms)
        self.done: list[str] = []
        self._mark = 0

    def begin(self) -> None:
        vmx = self.model.add("m").vmx
        shutil.copytree(self.vmrun.vms.with_name("mould"), vmx.parent)

    def commands(self) -> None:
        """Run commands: mostly power, or mostly snapshots and clones.

        A power-on costs ten of those.
        """
        power, files = ((5, 1), (1, 4))[self.dice.random() < 0.5]
        kinds: list[Callable[[str], None]] = [
            *[self.power] * power, *[self.snapshot] * (files + 1), *[self.revert] * files, *[self.clone] * files,
            *[self.delete_snapshot] * files, self.write, self.write, self.delete_vm, self.crash,
        ]  # fmt: skip
        for _ in range(7 if power > files else 12):
            if not self.model.machines:
                self.begin()
            self.dice.choice(kinds)(self.dice.choice(list(self.model.machines)))
            self.compare(("list",), self.model.list())

    def snapshot_of(self, name: str) -> str:
        """Return the name of a snapshot; mostly of one that is there."""
        there = [snapshot.name for snapshot in self.model.machines[name].snapshots.values()]
        return self.dice.choice(there if there and self.dice.random() < 0.7 else NAMES)

    def compare(self, words: tuple[str | Path, ...], expected: Answer) -> None:
        self.done.append(" ".join(map(str, words)))
        assert run(*words) == expected, self.done[-1]

    def power(self, name: str) -> None:
        verb = self.dice.choice(["start", "start", "start", "stop", "reset", "suspend", "pause", "unpause"])
        word = {"start": ["nogui"], "stop": ["hard"], "reset": ["hard"], "suspend": ["hard"]}.get(verb, [])
        self.compare((verb, self.model.path(name), *word), self.model.power(name, verb))

    def snapshot(self, name: str) -> None:
        what = self.dice.choice([item for item in NAMES if "/" not in item])
        self.compare(("snapshot", self.model.path(name), what), self.model.snapshot(name, what))
        self.compare(("listSnapshots", self.model.path(name), "showTree"), self.model.list_snapshots(name))

    def revert(self, name: str) -> None:
        what = self.snapshot_of(name)
        self.compare(("revertToSnapshot", self.model.path(name), what), self.model.revert(name, what))

    def delete_snapshot(self, name: str) -> None:
        what, children = self.snapshot_of(name), self.dice.random() < 0.3
        option = ["andDeleteChildren"] if children else []
        words: tuple[str | Path, ...] = ("deleteSnapshot", self.model.path(name), what, *option)
        self.compare(words, self.model.delete_snapshot(name, what, children=children))
        self.compare(("listSnapshots", self.model.path(name), "showTree"), self.model.list_snapshots(name))

    def clone(self, name: str) -> None:
        target, kind = self.dice.choice(TARGETS), self.dice.choice(["full", "linked", "linked"])
        what = self.snapshot_of(name) if self.dice.random() < 0.7 else ""
        words: list[str | Path] = ["clone", self.model.path(name), self.model.path(target), kind]
        words += [f"-snapshot={what}"] if what else []
        self.compare(tuple(words), self.model.clone(name, target, kind, what))

    def delete_vm(self, name: str) -> None:
        self.compare(("deleteVM", self.model.path(name)), self.model.delete_vm(name))
        assert self.model.path(name).parent.exists() == (name in self.model.machines)

    def write(self, name: str) -> None:
        """Write a mark to the disk of a machine that is off."""
        machine = self.model.machines[name]
        if machine.power is Power.OFF:
            self._mark = self._mark % 250 + 1
            self.done.append(f"(mark {self._mark} on the disk of {name})")
            qemu_io(disk_of(machine.vmx), f"write -P {self._mark} 64k 64k")
            machine.mark = self._mark

    def crash(self, name: str) -> None:
        """Kill QEMU or the supervisor of a machine that is on."""
        machine = self.model.machines[name]
        if machine.is_up:
            who = self.dice.choice(["qemu", "supervisor"])
            self.done.append(f"({who} of {name} killed)")
            psutil.Process(self.vmrun.record(machine.vmx)[who]["pid"]).kill()
            self.model.crash(name)
            assert eventually(lambda: run("list") == self.model.list())

    def check_disks(self) -> None:
        """Assert that every disk holds what the model expects.

        That is the disk of each machine that is off, and of each snapshot.
        """
        for name, machine in self.model.machines.items():
            if not machine.is_up:
                assert mark_on(disk_of(machine.vmx)) == machine.mark, name
            notes = Vmx.read(machine.vmx.with_suffix(".vmsd")) if machine.snapshots else Vmx.parse("")
            for index, (uid, snapshot) in enumerate(machine.snapshots.items()):
                assert notes.get(f"snapshot{index}.uid") == str(uid)
                file = machine.vmx.parent / (notes.get(f"snapshot{index}.disk0.fileName") or "")
                assert mark_on(file) == snapshot.mark, f"{name}: {snapshot.name}"

    def end(self) -> None:
        """Resume what is suspended, then delete everything, clones first; nothing is left."""
        for machine in self.model.machines.values():
            if machine.power is Power.SUSPENDED:
                assert run("start", machine.vmx, "nogui") == (0, "")
            if machine.power is Power.PAUSED:
                assert run("unpause", machine.vmx) == (0, "")
            if machine.power is not Power.OFF:
                assert run("stop", machine.vmx, "hard") == (0, "")
            machine.power = Power.OFF
        while self.model.machines:
            for name in list(self.model.machines):
                self.compare(("deleteVM", self.model.path(name)), self.model.delete_vm(name))
        assert list(self.vmrun.vms.iterdir()) == []


def disk_of(vmx: Path) -> Path:
    return vmx.parent / (Vmx.read(vmx).get("sata0:0.fileName") or "")


def qemu_io(disk: Path, command: str) -> str:
    argv = ["qemu-io", *(["-r", "-U"] if command.startswith("read") else []), "-f", "vmdk", "-c", command, str(disk)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout


def mark_on(disk: Path) -> int:
    return int(qemu_io(disk, "read -v 64k 1").split()[1], 16)


# In a process of its own the starter of a supervisor ends; here it forgets it.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_sequences_of_commands_do_what_the_model_says(
    vmrun: Vmrun, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(vmrun.home))
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "tcg")
    mould = vmrun.vms.with_name("mould")
    mould.mkdir()
    vmrun.vms.mkdir()
    (mould / "m.vmx").write_text(VMX, encoding="utf-8")
    create = ["qemu-img", "create", "-q", "-f", "vmdk", str(mould / "m.vmdk"), "1M"]
    subprocess.run(create, check=True, timeout=30)
    seed, _, only = os.environ.get("VMRUN_QEMU_SEQUENCE", secrets.token_hex(4)).partition("/")
    numbers = [int(only)] if only else range(SEQUENCES)
    for number in numbers[part::PARTS]:
        player = Player(vmrun, random.Random(f"{seed}/{number}"))
        try:
            player.begin()
            player.commands()
            player.check_disks()
            player.end()
        except BaseException as failure:
            failure.add_note(f"VMRUN_QEMU_SEQUENCE={seed}/{number}: " + "\n  ".join(["", *player.done]))
            raise
