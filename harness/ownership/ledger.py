"""Ledger of the resources that this lab created.

Removal deletes only what the ledger names. An entry is written before its resource is created, and deleted after the
resource is gone. The ledger is one JSON file in the lab's directory:

    {"version": 3, "lab": NAME, "kept_until": ISO 8601 or null, "things": [{"kind": "machine", …}, …]}

Each change is on the disk before the call returns (written to a scratch file, flushed to the medium, renamed), and is
made under a file lock, so that threads and processes do not lose each other's entries.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.core.errors import HostError
from harness.core.files import replace_file, retry_on_sharing_violation, scratch_files_of
from harness.core.json_text import parse_json
from harness.core.private import make_private_directory
from harness.ownership.lab_lock import hold_lock_file

_VERSION = 3
_LOCK_S = 30.0
_CANNOT_WRITE = "make room on the disk, or give this user the right to write there; nothing is created without it"


@dataclass(frozen=True)
class MachineEntry:
    """A VM: its directory and its files there.

    `harness.ownership.marker` decides which files these are.

    Attributes:
        run_id: The run that creates it.
        since: UTC, ISO 8601.
        owner: `user@host`.
        nonce: The 32 hex digits of `uuid.bios` in its VMX.
        found: The names that were in the directory before; None if there was no directory.
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
        """The token in the marker of the directory."""
        return f"{self.run_id}/{self.name}"


@dataclass(frozen=True)
class ForwardingEntry:
    """A loopback TCP port that is forwarded to a VM's SSH."""

    kind: ClassVar[str] = "forwarding"
    name: str
    network: str
    port: int


@dataclass(frozen=True)
class HomeEntry:
    """The state directory of the embedded hypervisor."""

    kind: ClassVar[str] = "home"
    name: str


@dataclass(frozen=True)
class ProcessEntry:
    """A process that outlives the session.

    Attributes:
        argv: Its command line, which no other process has. It identifies the process if the session ended before it
            recorded the id.
        pid: Its id, or 0 before it is started.
        started: Its starting time, as `harness.system.process_identity` reports it.
        port: The loopback port on which it listens, or 0 before it does.
    """

    kind: ClassVar[str] = "process"
    name: str
    argv: tuple[str, ...]
    pid: int = 0
    started: float = 0.0
    port: int = 0


Entry = MachineEntry | ForwardingEntry | HomeEntry | ProcessEntry
T = TypeVar("T", MachineEntry, ForwardingEntry, HomeEntry, ProcessEntry)


@dataclass(frozen=True)
class Content:
    """The content of a ledger; `kept_until` is UTC, ISO 8601, or empty."""

    entries: tuple[Entry, ...] = ()
    kept_until: str = ""

    def all_of(self, kind: type[T]) -> tuple[T, ...]:
        """Return the entries of that kind, oldest first."""
        return tuple(entry for entry in self.entries if isinstance(entry, kind))


class Ledger:
    """The ledger of one lab, in one file beside the machines."""

    def __init__(self, path: Path, lab: str) -> None:
        self.path = path
        self.lab = lab
        self._lock = threading.RLock()

    def read(self) -> Content:
        """Return the content; empty if there is no file.

        Raises:
            HostError: The file is damaged, of another version, or belongs to a lab of another name.
        """
        try:
            with self._lock:
                data = parse_json(retry_on_sharing_violation(lambda: self.path.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return Content()
        except (OSError, ValueError) as error:
            raise self._error(f"the ledger cannot be read: {error}") from error
        if not isinstance(data, dict) or "version" not in data:
            raise self._error("the ledger cannot be read: it has no version")
        if data["version"] != _VERSION:
            remedy = "run `lab down` with the version of this program that built the lab"
            raise self._error(f"the ledger has version {data['version']}, not {_VERSION}", remedy)
        if data.get("lab") != self.lab:
            remedy = "give this lab another vm_directory"
            raise self._error(f"this directory belongs to the lab {data.get('lab')!r}, not to {self.lab!r}", remedy)
        try:
            return Content(tuple(_entry(item) for item in data["things"]), str(data["kept_until"] or ""))
        except (TypeError, KeyError, ValueError) as error:
            raise self._error(f"the ledger cannot be read: {error!r}") from error

    def machines(self) -> tuple[MachineEntry, ...]:
        """Return the entries of all VMs."""
        return self.read().all_of(MachineEntry)

    def machine(self, name: str) -> MachineEntry | None:
        """Return the entry of the VM of that name, or None."""
        return next((entry for entry in self.machines() if entry.name == name), None)

    def write(self, entry: Entry) -> None:
        """Insert or replace the entry and sync it to disk.

        Call it before the resource is created.
        """
        self._change(lambda old: replace(old, entries=(*_without(old, entry), entry)))

    def delete(self, entry: Entry) -> None:
        """Delete the entry of that kind and name.

        Call it after the resource is gone. The file is deleted with the last entry.
        """
        self._change(lambda old: replace(old, entries=_without(old, entry)))

    def keep_until(self, when: str) -> None:
        """Record the time until which the VMs are kept."""
        self._change(lambda old: replace(old, kept_until=when))

    def delete_scratch_file(self) -> None:
        """Delete the scratch file that a killed session left."""
        if self.path.parent.is_dir():
            self._change(lambda old: old)

    def _change(self, change: Callable[[Content], Content]) -> None:
        """Apply a change to the content of the file.

        Raises:
            HostError: The ledger is damaged or of another lab, or it cannot be written.
        """
        try:
            make_private_directory(self.path.parent)
            with self._lock, hold_lock_file(self.path.with_suffix(".lock"), _LOCK_S):
                old = self.read()
                new = change(old)
                for scratch in scratch_files_of(self.path):
                    scratch.unlink(missing_ok=True)
                if not new.entries:
                    self.path.unlink(missing_ok=True)
                elif new != old:
                    self._replace_file(new)
        except OSError as error:
            text = str(error.strerror or error)
            raise self._error(f"the ledger cannot be written: {text}", _CANNOT_WRITE) from error

    def _replace_file(self, content: Content) -> None:
        items = [{"kind": entry.kind, **asdict(entry)} for entry in content.entries]
        data = {"version": _VERSION, "lab": self.lab, "kept_until": content.kept_until or None, "things": items}
        replace_file(self.path, (json.dumps(data, indent=2) + "\n").encode())
        _flush_directory(self.path.parent)

    def _error(self, what: str, remedy: str = "") -> HostError:
        by_hand = "nothing is deleted without it; look at the directory, then remove the ledger by hand"
        return HostError(what, where=str(self.path), remedy=remedy or by_hand)


def _entry(item: dict[str, Any]) -> Entry:
    """Return the entry of that JSON form.

    Raises:
        ValueError: A field is missing, unknown or of another type, or has a NUL, which no path has.
        KeyError: It has no kind, or an unknown one.
    """
    fields = dict(item)
    kind = fields.pop("kind")
    reader = _readers()[kind]
    text = json.dumps([fields])
    if "\\u0000" in text:
        raise ValueError("it has a NUL")
    try:
        entry: Entry = reader.validate_json(text)[0]
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        raise ValueError(f"{field} of a {kind}: {first['msg']}") from error
    return entry


@functools.cache
def _readers() -> dict[str, TypeAdapter[Any]]:
    """Return what reads the entries of each kind."""
    strict = ConfigDict(extra="forbid", strict=True)
    # A configuration reaches a plain dataclass only through a container.
    return {
        MachineEntry.kind: TypeAdapter(tuple[MachineEntry], config=strict),
        ForwardingEntry.kind: TypeAdapter(tuple[ForwardingEntry], config=strict),
        HomeEntry.kind: TypeAdapter(tuple[HomeEntry], config=strict),
        ProcessEntry.kind: TypeAdapter(tuple[ProcessEntry], config=strict),
    }


def _without(content: Content, entry: Entry) -> tuple[Entry, ...]:
    return tuple(other for other in content.entries if (other.kind, other.name) != (entry.kind, entry.name))


def _flush_directory(directory: Path) -> None:
    """Flush a directory to the medium, which Windows does by itself."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
