"""What this lab created: written before it is created, struck after it is gone, and all that removal goes by.

One JSON file in the lab's directory:

    {"version": 3, "lab": NAME, "kept_until": ISO 8601 or null, "things": [{"kind": "machine", …}, …]}

Each change is on the disk before the call returns (written beside, flushed to the medium, put in place at once), and is
made under a lock of the file, so that threads and processes do not lose each other's entries.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from harness.core.errors import HostError
from harness.core.files import retry_on_sharing_violation
from harness.ownership.lab_lock import held

_VERSION = 3
_LOCK_S = 30.0
_CANNOT_WRITE = "make room on the disk, or give this user the right to write there; nothing is created without it"


@dataclass(frozen=True)
class MachineEntry:
    """A machine: its directory, and all that a hypervisor puts into it (`harness.ownership` says what that is).

    Attributes:
        run_id: The run that creates it.
        since: UTC, ISO 8601.
        owner: `user@host`.
        nonce: The 32 hex digits that its VMX has as `uuid.bios`.
        found: The names that were in the directory before; None where there was no directory.
    """

    kind: ClassVar[str] = "machine"
    name: str
    directory: str
    run_id: str
    since: str = ""
    owner: str = ""
    nonce: str = ""
    found: tuple[str, ...] | None = None

    @property
    def token(self) -> str:
        """What the directory's mark says."""
        return f"{self.run_id}/{self.name}"


@dataclass(frozen=True)
class ForwardingEntry:
    """A TCP port of the host's loopback that leads to a machine's SSH by way of a network."""

    kind: ClassVar[str] = "forwarding"
    name: str
    network: str
    port: int


@dataclass(frozen=True)
class HomeEntry:
    """The directory in which the embedded hypervisor remembers machines and networks."""

    kind: ClassVar[str] = "home"
    name: str


@dataclass(frozen=True)
class ProcessEntry:
    """A process that outlives the session.

    Attributes:
        argv: Its command line, which no other process has; it finds the process where the session ended before it noted
            the id.
        pid: Its id, or 0 before it is started.
        started: Its starting time, as `harness.system.process_identity` tells it.
        port: The port of the loopback on which it listens, or 0 before it does.
    """

    kind: ClassVar[str] = "process"
    name: str
    argv: tuple[str, ...]
    pid: int = 0
    started: float = 0.0
    port: int = 0


Entry = MachineEntry | ForwardingEntry | HomeEntry | ProcessEntry
T = TypeVar("T", MachineEntry, ForwardingEntry, HomeEntry, ProcessEntry)
_KINDS: dict[str, type[Entry]] = {kind.kind: kind for kind in (MachineEntry, ForwardingEntry, HomeEntry, ProcessEntry)}


@dataclass(frozen=True)
class Content:
    """What the ledger says; `kept_until` is UTC, ISO 8601, or empty."""

    entries: tuple[Entry, ...] = ()
    kept_until: str = ""

    def all_of(self, kind: type[T]) -> tuple[T, ...]:
        """Return the entries of that kind, oldest first."""
        return tuple(thing for thing in self.entries if isinstance(thing, kind))


class Ledger:
    """The ledger of one lab, in one file beside the machines."""

    def __init__(self, path: Path, lab: str) -> None:
        self.path = path
        self.lab = lab
        self._lock = threading.RLock()
        self._scratch = path.with_suffix(".tmp")

    def read(self) -> Content:
        """Return what it says; nothing where there is none.

        Raises:
            HostError: The file is damaged, of another version, or belongs to a lab of another name.
        """
        try:
            with self._lock:
                data = json.loads(retry_on_sharing_violation(lambda: self.path.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return Content()
        except (OSError, ValueError) as error:
            raise self._refused(f"the ledger cannot be read: {error}") from error
        if not isinstance(data, dict) or "version" not in data:
            raise self._refused("the ledger cannot be read: it has no version")
        if data["version"] != _VERSION:
            remedy = "run `lab down` with the version of this program that built the lab"
            raise self._refused(f"the ledger has version {data['version']}, not {_VERSION}", remedy)
        if data.get("lab") != self.lab:
            remedy = "give this lab another vm_directory"
            raise self._refused(f"this directory belongs to the lab {data.get('lab')!r}, not to {self.lab!r}", remedy)
        try:
            things = tuple(_thing(item) for item in data["things"])
            return Content(things, str(data["kept_until"] or ""))
        except (TypeError, KeyError, ValueError) as error:
            raise self._refused(f"the ledger cannot be read: {error!r}") from error

    def machines(self) -> tuple[MachineEntry, ...]:
        """Return the machines in it."""
        return self.read().all_of(MachineEntry)

    def machine(self, name: str) -> MachineEntry | None:
        """Return the machine of that name, or None."""
        return next((thing for thing in self.machines() if thing.name == name), None)

    def write(self, thing: Entry) -> None:
        """Have the thing on disk, in place of one of its kind and name, before it is created."""
        self._change(lambda old: replace(old, entries=(*_without(old, thing), thing)))

    def delete(self, thing: Entry) -> None:
        """Have nothing of that kind and name on disk, after it is gone; without a thing there is no file."""
        self._change(lambda old: replace(old, entries=_without(old, thing)))

    def keep_until(self, when: str) -> None:
        """Have it say until when its machines are wanted."""
        self._change(lambda old: replace(old, kept_until=when))

    def delete_scratch_file(self) -> None:
        """Have nothing beside the ledger that a killed session left while it wrote."""
        if self.path.parent.is_dir():
            self._change(lambda old: old)

    def _change(self, change: Callable[[Content], Content]) -> None:
        """Have the changed content in the file.

        Raises:
            HostError: The ledger is refused, or it cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock, held(self.path.with_suffix(".lock"), _LOCK_S):
                old = self.read()
                new = change(old)
                self._scratch.unlink(missing_ok=True)
                if not new.entries:
                    self.path.unlink(missing_ok=True)
                elif new != old:
                    self._put(new)
        except OSError as error:
            text = str(error.strerror or error)
            raise self._refused(f"the ledger cannot be written: {text}", _CANNOT_WRITE) from error

    def _put(self, content: Content) -> None:
        things = [{"kind": thing.kind, **asdict(thing)} for thing in content.entries]
        data = {"version": _VERSION, "lab": self.lab, "kept_until": content.kept_until or None, "things": things}
        with self._scratch.open("w", encoding="utf-8") as stream:
            stream.write(json.dumps(data, indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        retry_on_sharing_violation(lambda: self._scratch.replace(self.path))
        _flush_directory(self.path.parent)

    def _refused(self, what: str, remedy: str = "") -> HostError:
        kept = "nothing is deleted without it; look at the directory, then remove the ledger by hand"
        return HostError(what, where=str(self.path), remedy=remedy or kept)


def _thing(item: dict[str, Any]) -> Entry:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in dict(item).items()
    }
    return _KINDS[fields.pop("kind")](**fields)


def _without(content: Content, thing: Entry) -> tuple[Entry, ...]:
    return tuple(other for other in content.entries if (other.kind, other.name) != (thing.kind, thing.name))


def _flush_directory(directory: Path) -> None:
    """Have the directory's entry itself on the medium; Windows has no such call, and does it by itself."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
