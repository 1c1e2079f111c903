"""The `.vmsd` of a VM: the tree of its snapshots.

Pure: a `Vmx` (the same syntax) in, a `Vmx` out.

    snapshot.lastUID = "2"               the highest number ever given
    snapshot.current = "2"               the parent of the VM's present state; absent or 0: none
    snapshot.numSnapshots = "2"
    snapshot.needConsolidate = "FALSE"   TRUE while disks of deleted snapshots are still to be merged
    snapshot0.uid, .filename, .parent, .displayName, .type, .createTimeHigh, .createTimeLow
    snapshot0.numDisks, .disk0.fileName, .disk0.node
    snapshot0.numClones, .clone0         the linked clones that read this snapshot's disks

A linked clone names its parent with `cloneOf0` in its own `.vmsd`. Keys that are not known here are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from harness.vmrun_qemu.base.messages import (
    INVALID_PARAMETER,
    NAME_NOT_UNIQUE,
    SNAPSHOT_EXISTS,
    SNAPSHOT_MISSING,
    Failure,
)
from harness.vmware.vmx import Vmx

_OWN = re.compile(r"^snapshot([0-9]{1,9})\.(.+)$", re.IGNORECASE)
_ITEM = re.compile(r"^(?:disk\d+\.(?:fileName|node)|clone\d+)$", re.IGNORECASE)
_KNOWN = {
    "uid",
    "filename",
    "parent",
    "displayname",
    "type",
    "createtimehigh",
    "createtimelow",
    "numdisks",
    "numclones",
}
_SEPARATOR = re.compile(r"[/\\]")
_FOLDS: tuple[Callable[[str], str], ...] = (str, str.casefold)


@dataclass(frozen=True)
class Snapshot:
    """One snapshot.

    `parent` is a uid, 0 for a root; `file` is the `.vmsn`, `memory` whether the VM was on; `created_us` is in
    microseconds since the epoch; `disks` are (VMX device id, file name); `clones` are VMX paths; `extra` are keys that
    only VMware knows.
    """

    uid: int
    parent: int
    name: str
    file: str
    memory: bool
    created_us: int
    disks: tuple[tuple[str, str], ...]
    clones: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Tree:
    """All snapshots of a VM."""

    snapshots: tuple[Snapshot, ...] = ()
    current: int = 0
    last_uid: int = 0
    needs_consolidation: bool = False

    def named(self, name: str) -> Snapshot:
        """Return the snapshot of that name or path.

        A path (`a/b/c`) names the ancestors too. A name in the same case is preferred.

        Raises:
            Failure: There is none, or more than one.
        """
        path = [part for part in _SEPARATOR.split(name) if part]
        for fold in _FOLDS:
            found = [s for s in self.snapshots if path and self._ends_with(s, path, fold)]
            if len(found) == 1:
                return found[0]
            if found:
                raise Failure(NAME_NOT_UNIQUE)
        raise Failure(SNAPSHOT_MISSING)

    def _ends_with(self, snapshot: Snapshot, path: list[str], fold: Callable[[str], str]) -> bool:
        names = [item.name for item in islice(self._upwards(snapshot.uid), len(path))]
        return [fold(item) for item in reversed(names)] == [fold(item) for item in path]

    def line(self, uid: int) -> list[Snapshot]:
        """Return the snapshot with that uid and its ancestors, nearest first."""
        return list(self._upwards(uid))

    def _upwards(self, uid: int) -> Iterator[Snapshot]:
        seen: set[int] = set()
        while uid in self._by_uid and uid not in seen:
            seen.add(uid)
            yield self._by_uid[uid]
            uid = self._by_uid[uid].parent

    @cached_property
    def _by_uid(self) -> dict[int, Snapshot]:
        return {snapshot.uid: snapshot for snapshot in self.snapshots}

    @cached_property
    def _children(self) -> dict[int, list[Snapshot]]:
        """The children by the uid of their parent; 0 for those without one."""
        found: dict[int, list[Snapshot]] = {}
        for snapshot in self.snapshots:
            found.setdefault(snapshot.parent if snapshot.parent in self._by_uid else 0, []).append(snapshot)
        return found

    def below(self, uid: int) -> set[int]:
        """Return the uids of a snapshot and all its descendants."""
        found, left = set[int](), [uid] if uid in self._by_uid else []
        while left:
            parent = left.pop()
            if parent not in found:
                found.add(parent)
                left += [child.uid for child in self._children.get(parent, ())]
        return found

    def outline(self) -> list[tuple[int, str]]:
        """Return (depth, name) of every snapshot, each before its children.

        Of two with one uid, in a damaged file, the last has the children.
        """
        found: list[tuple[int, str]] = []
        left = [(0, snapshot) for snapshot in reversed(self._children.get(0, ()))]
        while left:
            depth, snapshot = left.pop()
            found.append((depth, snapshot.name))
            if snapshot is self._by_uid[snapshot.uid]:
                left += [(depth + 1, child) for child in reversed(self._children.get(snapshot.uid, ()))]
        return found

    def check_new(self, name: str) -> None:
        """Check that a snapshot can get that name.

        Raises:
            Failure: It is taken, empty, or would be read as a path.
        """
        if not name or _SEPARATOR.search(name):
            raise Failure(f"{INVALID_PARAMETER}: {name}")
        if any(snapshot.name.casefold() == name.casefold() for snapshot in self.snapshots):
            raise Failure(SNAPSHOT_EXISTS)

    def free_name(self, wish: str) -> str:
        """Return a free name like that one, with a number if necessary.

        Path separators become blanks.
        """
        plain = _SEPARATOR.sub(" ", wish)
        taken = {snapshot.name.casefold() for snapshot in self.snapshots}
        names = (plain if number == 1 else f"{plain} {number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name.casefold() not in taken)

    def with_new(self, snapshot: Snapshot) -> Tree:
        """Return the tree with a new snapshot as the current one."""
        return replace(
            self, snapshots=(*self.snapshots, snapshot), current=snapshot.uid, last_uid=max(self.last_uid, snapshot.uid)
        )

    def without(self, uids: set[int]) -> Tree:
        """Return the tree without these snapshots.

        Their children, and the present state, get the nearest remaining ancestor as parent.
        """

        def next_left(uid: int) -> int:
            return next((s.uid for s in self.line(uid) if s.uid not in uids), 0)

        left = (replace(s, parent=next_left(s.parent)) for s in self.snapshots if s.uid not in uids)
        return replace(self, snapshots=tuple(left), current=next_left(self.current))

    def with_changed(self, changed: Snapshot) -> Tree:
        """Return the tree with the snapshot of that uid replaced."""
        return replace(self, snapshots=tuple(changed if s.uid == changed.uid else s for s in self.snapshots))


def tree_of(vmsd: Vmx) -> Tree:
    """Parse the tree of a `.vmsd`; skip snapshots without a uid."""
    groups: dict[int, dict[str, str]] = {}
    for key, value in vmsd.items():
        if match := _OWN.match(key):
            groups.setdefault(int(match[1]), {})[match[2]] = value
    snapshots = tuple(_snapshot(groups[index]) for index in sorted(groups))
    return Tree(
        tuple(s for s in snapshots if s.uid),
        _number(vmsd.get("snapshot.current")),
        max([_number(vmsd.get("snapshot.lastUID")), *(s.uid for s in snapshots)]),
        vmsd.flag("snapshot.needConsolidate"),
    )


def store(tree: Tree, vmsd: Vmx) -> None:
    """Replace the tree in a `.vmsd`."""
    for key in [key for key, _ in vmsd.items() if _OWN.match(key)]:
        vmsd.remove(key)
    if ".encoding" not in vmsd:
        vmsd.set(".encoding", "UTF-8")
    vmsd.set("snapshot.lastUID", tree.last_uid)
    vmsd.set("snapshot.needConsolidate", value=tree.needs_consolidation)
    vmsd.set("snapshot.numSnapshots", len(tree.snapshots))
    vmsd.set("snapshot.current", tree.current)
    for index, snapshot in enumerate(tree.snapshots):
        vmsd.update((f"snapshot{index}.{key}", value) for key, value in _pairs(snapshot))


def _snapshot(group: dict[str, str]) -> Snapshot:
    lower = {key.lower(): value for key, value in group.items()}
    disks = range(min(_number(lower.get("numdisks")), len(lower)))
    clones = range(min(_number(lower.get("numclones")), len(lower)))
    high, low = _number(lower.get("createtimehigh")), _number(lower.get("createtimelow"))
    return Snapshot(
        uid=_number(lower.get("uid")),
        parent=_number(lower.get("parent")),
        name=lower.get("displayname", ""),
        file=lower.get("filename", ""),
        memory=lower.get("type") == "1",
        created_us=(high << 32) + (low & 0xFFFFFFFF),
        disks=tuple((lower.get(f"disk{n}.node", ""), lower.get(f"disk{n}.filename", "")) for n in disks),
        clones=tuple(filter(None, (lower.get(f"clone{n}") for n in clones))),
        extra=tuple((k, v) for k, v in group.items() if k.lower() not in _KNOWN and not _ITEM.match(k)),
    )


def _pairs(snapshot: Snapshot) -> Iterable[tuple[str, str | int]]:
    low = snapshot.created_us & 0xFFFFFFFF
    yield "uid", snapshot.uid
    yield "filename", snapshot.file
    if snapshot.parent:
        yield "parent", snapshot.parent
    yield "displayName", snapshot.name
    yield "type", int(snapshot.memory)
    yield "createTimeHigh", snapshot.created_us >> 32
    yield "createTimeLow", low - (1 << 32) if low >> 31 else low  # VMware writes it as a signed number
    yield "numDisks", len(snapshot.disks)
    for number, (node, file) in enumerate(snapshot.disks):
        yield f"disk{number}.fileName", file
        yield f"disk{number}.node", node
    if snapshot.clones:
        yield "numClones", len(snapshot.clones)
    for number, clone in enumerate(snapshot.clones):
        yield f"clone{number}", clone
    yield from snapshot.extra


def _number(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
