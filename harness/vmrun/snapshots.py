r"""The snapshots of one VM: a tree of names.

A name with `/` or `\` would be read as a path through the tree, and two names that differ in case only are one for
VMware: an ambiguous name is refused before any call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.core.deadline import Deadline
from harness.core.errors import UsageError
from harness.vmrun import errors
from harness.vmrun.invocation import VmrunProgram
from harness.vmrun.parse import parse_counted
from harness.vmrun.power import Power, PowerState
from harness.vmware.linked_clones import clones_of

_UNFIT = re.compile(r"[/\\\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Snapshot:
    """A snapshot and the ones based on it."""

    name: str
    children: tuple[Snapshot, ...] = ()

    def walk(self) -> Iterator[Snapshot]:
        """Yield this snapshot and all below it, parents first."""
        waiting = [self]
        while waiting:
            snapshot = waiting.pop()
            yield snapshot
            waiting += reversed(snapshot.children)


@dataclass(frozen=True)
class SnapshotTree:
    """All snapshots of a VM; there can be several roots."""

    roots: tuple[Snapshot, ...] = ()

    def __iter__(self) -> Iterator[Snapshot]:
        for root in self.roots:
            yield from root.walk()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, parents first."""
        return tuple(snapshot.name for snapshot in self)

    def named(self, name: str) -> tuple[Snapshot, ...]:
        """Return the snapshots of that name, which VMware compares without case."""
        return tuple(snapshot for snapshot in self if snapshot.name.casefold() == name.casefold())


class Snapshots:
    """The snapshot verbs of a `vmrun` for one VM."""

    def __init__(self, program: VmrunProgram, power: Power, vmx: Path) -> None:
        self._program = program
        self._power = power
        self._vmx = vmx

    def tree(self) -> SnapshotTree:
        """Return the snapshots of the VM."""
        return self._program.query(parse_snapshots, "listSnapshots", self._vmx, "showTree")

    def take(self, name: str, *, deadline: Deadline | None = None) -> None:
        """Take a snapshot, of a running VM with its memory.

        Raises:
            UsageError: The name cannot be used.
            SnapshotExists: The name is taken, in any case.
        """
        check_name(name)
        if self.tree().named(name):
            raise self._refusal(errors.SnapshotExists, "snapshot", f"a snapshot {name!r} exists")
        done = self._program.call("snapshot", self._vmx, name, deadline=deadline)
        if not self.tree().named(name):
            raise self._program.unexpected_output("snapshot", done, f"there is no snapshot {name!r} afterwards")

    def revert(self, name: str, *, deadline: Deadline) -> PowerState:
        """Revert the VM to a snapshot; it does not run afterwards.

        A VM that runs is powered off first, because some versions refused a revert of a running one.

        Returns:
            OFF, or SUSPENDED if the snapshot has memory that the next start resumes. VMware's documents describe a VM
            that is RUNNING afterwards; that was not seen, and would be reported too.
        """
        self._find(name, "revertToSnapshot")
        if self._power.is_running(self._vmx, deadline):
            self._power.cut_power(self._vmx, deadline)
        self._power.wait_for_locks(self._vmx, deadline)
        self._program.call("revertToSnapshot", self._vmx, name, deadline=deadline)
        return self._power.state(self._vmx)

    def delete(self, name: str, *, with_children: bool = False, deadline: Deadline | None = None) -> None:
        """Delete a snapshot, and with `with_children` all below it.

        Without it, its content is merged into its children.

        Raises:
            SnapshotMissing, SnapshotAmbiguous: There is no such snapshot, or there are several.
            ClonesDepend: A linked clone uses what would be deleted.
        """
        target = self._find(name, "deleteSnapshot")
        names = {snapshot.name for snapshot in target.walk()} if with_children else {target.name}
        needed = [clone for clone in clones_of(self._vmx) if clone.snapshot in names]
        if needed:
            users = ", ".join(str(clone.vmx) for clone in needed)
            raise self._refusal(errors.ClonesDepend, "deleteSnapshot", f"{users} uses its disks too")
        words = ["andDeleteChildren"] if with_children else []
        done = self._program.call("deleteSnapshot", self._vmx, name, *words, deadline=deadline)
        if self.tree().named(name):
            raise self._program.unexpected_output("deleteSnapshot", done, f"the snapshot {name!r} is still there")

    def _find(self, name: str, verb: str) -> Snapshot:
        """Return the only snapshot that VMware can select by that name.

        Raises:
            SnapshotMissing: There is none.
            SnapshotAmbiguous: There are several.
        """
        check_name(name)
        tree = self.tree()
        found = tree.named(name)
        if not found:
            existing = ", ".join(tree.names) or "none"
            raise self._refusal(errors.SnapshotMissing, verb, f"no snapshot {name!r}; there are: {existing}")
        if len(found) > 1:
            matches = ", ".join(repr(snapshot.name) for snapshot in found)
            raise self._refusal(errors.SnapshotAmbiguous, verb, f"{name!r} can be any of {matches}")
        return found[0]

    def _refusal(self, kind: type[errors.MappedError], verb: str, why: str) -> errors.MappedError:
        return kind(f"vmrun {verb} was not called: {why}", where=str(self._vmx), remedy=kind.advice)


def check_name(name: str) -> None:
    """Raise if the name cannot be one of a snapshot.

    Raises:
        UsageError: It is empty, or has blanks around it, or a slash, a backslash or a control character in it.
    """
    if not name or name != name.strip() or _UNFIT.search(name):
        raise UsageError(
            f"{name!r} cannot be the name of a snapshot",
            remedy="give a name without `/`, `\\`, line ends and blanks around it: VMware reads slashes as a path",
        )


def parse_snapshots(text: str) -> SnapshotTree:
    """Parse the tree of `listSnapshots … showTree`.

    The line `Total snapshots: N` comes first, then names with one TAB per level.

    Raises:
        ValueError: There is no such line, or not that many names, or a child without a parent.
    """
    count, lines = parse_counted(text, "Total snapshots")
    rows = [(len(line) - len(line.lstrip("\t")), line.lstrip("\t")) for line in lines if line.strip()]
    if len(rows) != count:
        raise ValueError(f"`Total snapshots: {count}`, but {len(rows)} names can be read")
    levels = [level for level, _ in rows]
    for above, (level, name) in zip([-1, *levels], rows, strict=False):
        if level > above + 1:
            raise ValueError(f"the snapshot {name!r} has no parent")
    waiting: dict[int, list[Snapshot]] = {}  # level -> snapshots whose parent was not read yet, last row first
    for level, name in reversed(rows):
        children = waiting.pop(level + 1, [])
        waiting.setdefault(level, []).append(Snapshot(name, tuple(reversed(children))))
    return SnapshotTree(tuple(reversed(waiting.get(0, []))))
