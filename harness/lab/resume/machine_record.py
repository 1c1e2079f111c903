"""The record of a machine, kept beside it.

It holds what resuming needs of the run's journal, so that another `--reports` directory, or a cleaned one, changes
nothing. It is written when a run ends, counts as a marker of the machine's directory, and is deleted with it.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from harness.core.best_effort import error_text
from harness.core.errors import HarnessError, HostError
from harness.core.files import replace_file
from harness.core.json_text import parse_json, require_text, require_texts
from harness.core.layout import RECORD
from harness.core.verdict import Phase
from harness.lab.keep_policy import MachineUse
from harness.lab.lab import Lab
from harness.lab.resume.decision import RecordedMachine, Unseen
from harness.lab.resume.history import read_recorded
from harness.ownership.ledger import Ledger, MachineEntry
from harness.ownership.marker import read_marker
from harness.results.run_json import verdict_from_dict, verdict_to_dict

_VERSION = 1


def read_records(ledger: Ledger, names: Iterable[str]) -> dict[str, RecordedMachine | Unseen]:
    """Return the records beside these machines; `Unseen` where one cannot be read.

    A ledger that cannot be read has none: each machine reports that.
    """
    try:
        entries = [entry for entry in ledger.machines() if entry.name in set(names)]
    except HarnessError:
        return {}
    read = {entry.name: _read(Path(entry.directory) / RECORD) for entry in entries}
    return {name: record for name, record in read.items() if record is not None}


def write_records(lab: Lab) -> None:
    """Write the record of each machine that this run worked on, from its journal.

    The record of a machine that the run took as it was stays. A run that worked on none does not read the ledger:
    the environment phase has reported a damaged one.

    Raises:
        HostError: A record cannot be written, or the ledger cannot be read.
        OSError: The journal cannot be read.
    """
    context = lab.context
    used = {name for name in lab.machines if lab.use_of(name) is not None}
    if not used:
        return
    entries = {entry.name: entry for entry in context.ledger.machines() if entry.name in used}
    vm_directory = context.plan.vm_directory
    found = read_recorded(context.run.directory, context.plan.spec.name, vm_directory, entries) or {}
    for name, recorded in found.items():
        kept = _read(Path(entries[name].directory) / RECORD)
        taken = lab.use_of(name) is MachineUse.REUSED and isinstance(kept, RecordedMachine)
        if isinstance(recorded, RecordedMachine) and not taken:
            _write(entries[name], recorded)


def _read(path: Path) -> RecordedMachine | Unseen | None:
    try:
        regular = stat.S_ISREG(path.lstat().st_mode)
        if regular:
            return _from_json(path.read_text(encoding="utf-8"))
        return _unreadable(path, "it is no regular file")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, HarnessError) as error:
        return _unreadable(path, error_text(error))


def _unreadable(path: Path, why: str) -> Unseen:
    return Unseen(f"{path}: the record of the machine cannot be read: {why}", "make it readable for this user")


def _from_json(text: str) -> RecordedMachine:
    data = parse_json(text)
    if data["version"] != _VERSION:
        raise ValueError(f"it has version {data['version']}, not {_VERSION}")
    return RecordedMachine(
        run_id=require_text(data["run_id"]),
        made_by=require_text(data["made_by"]),
        inputs=require_texts(data["inputs"]),
        verdicts=tuple(verdict_from_dict(item) for item in data["verdicts"]),
        begun=Phase(data["begun"]) if data["begun"] else None,
        boot_id=require_text(data["boot_id"]),
        event_at=require_text(data.get("event_at", "")),
        installation=require_texts(data["installation"]),
    )


def _write(entry: MachineEntry, recorded: RecordedMachine) -> None:
    """Write the record into the directory that has the lab's marker.

    Raises:
        HostError: It cannot be written.
    """
    directory = Path(entry.directory)
    if read_marker(directory) != entry.token or recorded.made_by != entry.run_id:
        return  # The directory is not ours any more, or has another machine: the next run reports that.
    data = dataclasses.asdict(recorded) | {"verdicts": [verdict_to_dict(item) for item in recorded.verdicts]}
    path = directory / RECORD
    try:
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            raise FileExistsError(errno.EEXIST, "it is no regular file", str(path))
        replace_file(path, (json.dumps({"version": _VERSION, **data}, indent=1) + "\n").encode())
    except OSError as error:
        raise HostError(
            f"the record of {entry.name} cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="make room on the disk; until then the next run needs the journal of this one",
        ) from error
