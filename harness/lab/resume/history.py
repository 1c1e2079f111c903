"""Machines in the journals of earlier runs, also of killed ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.core.errors import HarnessError
from harness.core.layout import RunFiles
from harness.core.verdict import Phase
from harness.lab.resume.decision import RecordedMachine
from harness.results.journal import read_journal
from harness.results.journal_events import MACHINE_INPUTS
from harness.results.model import MACHINE_ID, RUNS, MachineFacts, RunResult
from harness.results.replay import from_events
from harness.results.run_json import verdict_from_dict

_SEARCHED = 50  # Run directories, the newest first.


def find_recorded(reports: Path, lab: str, vm_directory: Path, names: Iterable[str]) -> dict[str, RecordedMachine]:
    """Return each machine as the newest journal that has it records it.

    A damaged record of a machine counts as none.

    Args:
        reports: Where runs leave their results.
        lab: Only runs of that lab are read.
        vm_directory: Only machines in that directory count.
        names: The machines to find.
    """
    wanted, found = set(names), dict[str, RecordedMachine]()
    for directory in sorted((path for path in reports.glob("*") if _is_run(path)), reverse=True)[:_SEARCHED]:
        events = list(read_journal(RunFiles(directory).events))
        inputs = {
            str(event["machine"]): event
            for event in events
            if event.get("kind") == MACHINE_INPUTS and event.get("vm_directory") == str(vm_directory)
        }
        if not inputs:
            continue
        run = from_events(events)
        recorded = wanted & inputs.keys() if run.lab == lab else set()
        for name in recorded:
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError, HarnessError):
                found[name] = _recorded_machine(run, name, inputs[name])
        wanted -= recorded
        if not wanted:
            break
    return found


def _is_run(path: Path) -> bool:
    return not path.is_symlink() and RunFiles(path).events.is_file()


def _recorded_machine(run: RunResult, name: str, event: dict[str, Any]) -> RecordedMachine:
    verdicts = {item.phase: item for item in map(verdict_from_dict, event["carried"])}
    verdicts |= {item.phase: item for item in run.verdicts if item.machine == name}
    begun = next((phase for phase in Phase if run.unfinished(name, phase) is not None), None)
    machine = next((machine for machine in run.machines if machine.name == name), MachineFacts(name))
    return RecordedMachine(
        run_id=run.run_id,
        made_by=str(event["made_by"]),
        inputs={str(key): str(value) for key, value in event["inputs"].items()},
        verdicts=tuple(sorted(verdicts.values(), key=lambda item: item.phase.number)),
        begun=begun,
        boot_id=machine.boot_ids[-1] if machine.boot_ids else "",
        installation={fact: machine.facts[fact] for fact in (MACHINE_ID, RUNS) if fact in machine.facts},
    )
