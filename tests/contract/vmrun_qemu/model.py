"""A model of `vmrun`: expected answers and effects.

No files, no processes, a few fields for each machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

Answer = tuple[int, str]
DONE: Answer = (0, "")


class Power(Enum):
    """Power state of a machine."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"
    SUSPENDED = "suspended"


@dataclass
class Snapshot:
    """A snapshot: the disk's mark, and whether it has memory.

    `clones` are names of machines.
    """

    name: str
    parent: int
    memory: bool
    mark: int
    clones: list[str] = field(default_factory=list)


@dataclass
class Machine:
    """One machine.

    `mark` is what was last written to its disk, `started` counts starts of all machines.
    """

    vmx: Path
    power: Power = Power.OFF
    mark: int = 0
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    current: int = 0
    last_uid: int = 0
    started: int = 0

    @property
    def is_up(self) -> bool:
        return self.power in (Power.ON, Power.PAUSED)

    def find(self, path: str) -> int:
        """Return the number of the snapshot at a path, or 0.

        Case does not count.
        """
        *above, name = path.casefold().split("/")
        for uid, snapshot in self.snapshots.items():
            parent = self.snapshots.get(snapshot.parent)
            fits = not above or (parent is not None and parent.name.casefold() == above[-1])
            if snapshot.name.casefold() == name and fits:
                return uid
        return 0

    def below(self, uid: int) -> list[int]:
        children = [child for child, snapshot in self.snapshots.items() if snapshot.parent == uid]
        return [uid, *(item for child in children for item in self.below(child))]

    def outline(self, parent: int = 0, depth: int = 0) -> list[str]:
        lines = []
        for uid, snapshot in self.snapshots.items():
            if snapshot.parent == parent:
                lines += ["\t" * depth + snapshot.name, *self.outline(uid, depth + 1)]
        return lines


def error(text: str) -> Answer:
    return 255, f"Error: {text}\n"


RUNNING = error("The virtual machine should not be powered on. It is already running.")
MISSING = error("The snapshot does not exist")
TAKEN = error("A snapshot with the name already exists")
UNCHANGED = error("The state of the virtual machine has not changed since the last snapshot operation")
EXISTS = error("The file already exists")


class Model:
    """All machines, by name.

    Each method is a command and returns the expected exit status and output.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machines: dict[str, Machine] = {}
        self._starts = 0

    def path(self, name: str) -> Path:
        return self.folder / name / f"{name}.vmx"

    def add(self, name: str, mark: int = 0) -> Machine:
        self.machines[name] = Machine(self.path(name), mark=mark)
        return self.machines[name]

    def list(self) -> Answer:
        up = sorted((m for m in self.machines.values() if m.is_up), key=lambda machine: machine.started)
        return 0, "\n".join([f"Total running VMs: {len(up)}", *(str(machine.vmx) for machine in up), ""])

    def power(self, name: str, verb: str) -> Answer:
        machine = self.machines[name]
        off = error(f"The virtual machine is not powered on: {machine.vmx}")
        paused = error(f"The virtual machine is paused: {machine.vmx}")
        if verb == "start":
            return self._start(machine, paused)
        if not machine.is_up:
            return off
        if machine.power is Power.PAUSED and verb in ("stop", "reset", "pause"):
            return paused
        machine.power = {
            "stop": Power.OFF, "reset": Power.ON, "suspend": Power.SUSPENDED, "pause": Power.PAUSED,
            "unpause": Power.ON,
        }[verb]  # fmt: skip
        return DONE

    def _start(self, machine: Machine, paused: Answer) -> Answer:
        if machine.power is Power.PAUSED:
            return paused
        if machine.power is not Power.ON:
            self._starts += 1
            machine.started = self._starts
        machine.power = Power.ON
        return DONE

    def crash(self, name: str) -> None:
        self.machines[name].power = Power.OFF

    def snapshot(self, name: str, what: str) -> Answer:
        machine = self.machines[name]
        if machine.power is Power.PAUSED:
            return error(f"The virtual machine is paused: {machine.vmx}")
        if any(item.name.casefold() == what.casefold() for item in machine.snapshots.values()):
            return TAKEN
        self._take(machine, what)
        return DONE

    def _take(self, machine: Machine, what: str) -> Snapshot:
        machine.last_uid += 1
        taken = Snapshot(what, machine.current, machine.power is not Power.OFF, machine.mark)
        machine.snapshots[machine.last_uid] = taken
        machine.current = machine.last_uid
        return taken

    def list_snapshots(self, name: str) -> Answer:
        lines = self.machines[name].outline()
        return 0, "\n".join([f"Total snapshots: {len(lines)}", *lines, ""])

    def revert(self, name: str, what: str) -> Answer:
        machine = self.machines[name]
        uid = machine.find(what)
        if not uid:
            return MISSING
        kept = machine.snapshots[uid]
        machine.current, machine.mark = uid, kept.mark
        machine.power = Power.SUSPENDED if kept.memory else Power.OFF
        return DONE

    def delete_snapshot(self, name: str, what: str, *, children: bool) -> Answer:
        machine = self.machines[name]
        if machine.power is Power.PAUSED:
            return error(f"The virtual machine is paused: {machine.vmx}")
        uid = machine.find(what)
        if not uid:
            return MISSING
        gone = machine.below(uid) if children else [uid]
        clones = [clone for item in sorted(gone) for clone in machine.snapshots[item].clones]
        if clones:
            return error("One or more of the disks are busy: " + ", ".join(str(self.path(clone)) for clone in clones))
        for item in sorted(gone, reverse=True):
            self._drop(machine, item)
        return DONE

    @staticmethod
    def _drop(machine: Machine, uid: int) -> None:
        parent = machine.snapshots.pop(uid).parent
        for other in machine.snapshots.values():
            if other.parent == uid:
                other.parent = parent
        if machine.current == uid:
            machine.current = parent

    def clone(self, name: str, target: str, kind: str, what: str) -> Answer:
        machine = self.machines[name]
        if target in self.machines:
            return EXISTS
        if what:
            uid = machine.find(what)
            if not uid:
                return 255, f"Error: Invalid snapshot name '{what}'\n\n"
            source = machine.snapshots[uid]
            if source.memory:
                return UNCHANGED
        elif machine.power is not Power.OFF:
            return RUNNING
        elif kind == "linked":
            source = self._take(machine, self._free_name(machine, f"Snapshot for {target}"))
        else:
            source = Snapshot("", 0, memory=False, mark=machine.mark)
        if kind == "linked":
            source.clones.append(target)
        self.add(target, source.mark)
        return DONE

    @staticmethod
    def _free_name(machine: Machine, wish: str) -> str:
        names = {snapshot.name for snapshot in machine.snapshots.values()}
        number = 1
        while (f"{wish} {number}" if number > 1 else wish) in names:
            number += 1
        return f"{wish} {number}" if number > 1 else wish

    def delete_vm(self, name: str) -> Answer:
        machine = self.machines[name]
        if machine.is_up:
            return RUNNING
        clones = [clone for snapshot in machine.snapshots.values() for clone in snapshot.clones]
        if clones:
            return error("One or more of the disks are busy: " + ", ".join(str(self.path(clone)) for clone in clones))
        del self.machines[name]
        for other in self.machines.values():
            for snapshot in other.snapshots.values():
                if name in snapshot.clones:
                    snapshot.clones.remove(name)
        return DONE
