"""Machines in the journals of earlier runs, also of killed ones."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.core.best_effort import error_text
from harness.core.errors import HarnessError
from harness.core.json_text import require_text, require_texts
from harness.core.layout import RunFiles
from harness.core.verdict import Phase
from harness.lab.resume.decision import RecordedMachine, Unseen
from harness.machine.facts import MACHINE_ID, MARK, RUNS
from harness.results.journal import read_journal
from harness.results.journal_events import GUEST_EVENT, MACHINE_INPUTS
from harness.results.model import MachineFacts, RunResult
from harness.results.replay import from_events
from harness.results.run_json import verdict_from_dict

_RUN_ID = re.compile(r"\d{4}-\d\d-\d\dT")
_SEARCHED = 50  # Run directories, the newest first.


def find_recorded(
    reports: Path,
    lab: str,
    vm_directory: Path,
    names: Iterable[str],
    beside: Mapping[str, RecordedMachine | Unseen] | None = None,
) -> dict[str, RecordedMachine | Unseen]:
    """Return the newest record of each machine: that beside it, or a newer journal.

    A machine whose newest record cannot be read, or is damaged, is `Unseen`: an older one may be out of date.

    Args:
        reports: Where runs leave their results.
        lab: Only runs of that lab are read.
        vm_directory: Only machines in that directory count.
        names: The machines to find.
        beside: The records beside the machines.
    """
    beside = beside or {}
    found = {name: record for name, record in beside.items() if isinstance(record, Unseen)}
    wanted = set(names) - found.keys()
    known = {name: record.run_id for name, record in beside.items() if isinstance(record, RecordedMachine)}
    journals = _newest_journals(reports, lab, vm_directory, wanted, known)
    return {**beside, **journals}


def _newest_journals(
    reports: Path, lab: str, vm_directory: Path, names: Iterable[str], known: Mapping[str, str]
) -> dict[str, RecordedMachine | Unseen]:
    """Return the machines of journals that are newer than the known run of each."""
    wanted, found = set(names), dict[str, RecordedMachine | Unseen]()
    try:
        runs = sorted((path for path in reports.iterdir() if not path.is_symlink()), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return found
    except OSError as error:
        return {name: _unreadable(reports, error) for name in wanted - known.keys()}
    searched = 0
    for directory in runs:
        wanted = {name for name in wanted if known.get(name, "") < directory.name}
        if not wanted or searched >= _SEARCHED:
            break
        try:
            recorded = read_recorded(directory, lab, vm_directory, wanted)
        except OSError as error:
            if not _RUN_ID.match(directory.name):
                continue  # For example `lost+found`: no run left it.
            return found | {name: _unreadable(directory, error) for name in wanted}
        searched += recorded is not None
        found |= recorded or {}
        wanted -= found.keys()
    return found


def read_recorded(
    run: Path, lab: str, vm_directory: Path, names: Iterable[str]
) -> dict[str, RecordedMachine | Unseen] | None:
    """Return what the journal of one run has of these machines.

    None without a journal.

    Raises:
        OSError: The journal cannot be read.
    """
    try:
        if not stat.S_ISREG(RunFiles(run).events.stat().st_mode):
            return None
        events = list(read_journal(RunFiles(run).events))
    except (FileNotFoundError, NotADirectoryError):
        return None
    inputs = {
        str(event["machine"]): event
        for event in events
        if event.get("kind") == MACHINE_INPUTS and event.get("vm_directory") == str(vm_directory)
    }
    if not inputs:
        return {}
    result, found = from_events(events), dict[str, RecordedMachine | Unseen]()
    for name in set(names) & inputs.keys() if result.lab == lab else ():
        try:
            heard = (event for event in events if (event.get("kind"), event.get("machine")) == (GUEST_EVENT, name))
            at = max((str(event.get("at", "")) for event in heard), default="")
            recorded = _recorded_machine(result, name, inputs[name])
            found[name] = replace(recorded, event_at=at or recorded.event_at)
        except (KeyError, TypeError, ValueError, AttributeError, HarnessError) as error:
            found[name] = _unreadable(RunFiles(run).events, error)
    return found


def _unreadable(path: Path, error: Exception) -> Unseen:
    return Unseen(
        f"{path}: what an earlier run recorded cannot be read: {error_text(error)}",
        "have the file readable for this user, or move that run's directory away",
    )


def _recorded_machine(run: RunResult, name: str, event: dict[str, Any]) -> RecordedMachine:
    verdicts = {item.phase: item for item in map(verdict_from_dict, event["carried"])}
    verdicts |= {item.phase: item for item in run.verdicts if item.machine == name}
    begun = next((phase for phase in Phase if run.unfinished(name, phase) is not None), None)
    machine = next((machine for machine in run.machines if machine.name == name), MachineFacts(name))
    return RecordedMachine(
        run_id=run.run_id,
        made_by=require_text(event["made_by"]),
        inputs=require_texts(event["inputs"]),
        verdicts=tuple(sorted(verdicts.values(), key=lambda item: item.phase.number)),
        begun=begun,
        event_at=str(event.get("event_at", "")),
        boot_id=machine.boot_ids[-1] if machine.boot_ids else "",
        installation={fact: machine.facts[fact] for fact in (MACHINE_ID, RUNS, MARK) if fact in machine.facts},
    )
