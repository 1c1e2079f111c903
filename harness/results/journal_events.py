"""Journal events: their kinds, and their fields beside `t`, `at`, `kind`, `machine`.

===============  =====================================================================================================
kind             fields
===============  =====================================================================================================
run-start        `run`: fields of `RunResult` that are known at the start, as objects (see `run_start`)
phase-start      `phase`: a value of `Phase`
phase-end        `phase`, `verdict`: as `verdict_to_dict` writes it, with `status`
guest-event      `event`, `boot_id`, `fields`: what a guest reported on its serial line, all text
state            `text`: the last thing seen of that machine; written when it changes; `switched on` is a power-on;
                 `phase`: the phase of the lab during which it was seen, absent in a phase of the machine
wait             `text`: what that machine waits for from now on; empty: for nothing; `limit_s`: the longest
test             `nodeid`, `outcome` (a value of `Outcome`), `reason`, `duration_s`;
                 `carried_from`: the earlier run that made its check
machine-facts    `facts`: fields of `MachineFacts` that are known now; other names go to its `facts`, as text
machine-inputs   `inputs`: digests of what the machine is made of, by name; `made_by`: the run that creates or created
                 it; `vm_directory`; `carried`: verdicts of an earlier run that hold for it, also of phases that
                 this run does not ask for; `event_at`: when its console last had an event, before
                 this run. For a run that goes on with it: `harness.lab.resume.history`
evidence         `path`: relative to the run directory, with `/`; absolute where it is outside
note             `text`: something that a reader should know, e.g. why a file could not be collected;
                 `progress`: true where the terminal shows it, too
run-end          `exit_status`: pytest's; `run`: fields of `RunResult` that are known only now
===============  =====================================================================================================

`machine` is null where the whole lab is meant. Seconds (`t`, and `started_s`, `ended_s` of verdicts) count from the
start of the journal. Each function below returns the fields of one event, for `Journal.write(kind, machine, **fields)`.
"""

from __future__ import annotations

from typing import Any

from harness.core.verdict import Phase, Verdict
from harness.results.model import CaseResult, RunResult
from harness.results.run_json import run_to_dict, verdict_to_dict

RUN_START = "run-start"
PHASE_START = "phase-start"
PHASE_END = "phase-end"
GUEST_EVENT = "guest-event"
STATE = "state"
WAIT = "wait"
TEST = "test"
MACHINE_FACTS = "machine-facts"
MACHINE_INPUTS = "machine-inputs"
EVIDENCE = "evidence"
NOTE = "note"
RUN_END = "run-end"

# The text of a `state` event.
STARTED = "switched on"

# Made from the other events, never given at the start or the end.
DERIVED = ("verdicts", "spans", "tests", "evidence", "exit_status", "duration_s", "unreadable_events")


def run_start(run: RunResult) -> dict[str, Any]:
    """Return the fields of `run-start`: what later events do not set."""
    return {"run": _given(run)}


def phase_start(phase: Phase) -> dict[str, Any]:
    """Return the fields of `phase-start`."""
    return {"phase": phase.value}


def phase_end(verdict: Verdict) -> dict[str, Any]:
    """Return the fields of `phase-end`; the event's `machine` is the verdict's."""
    return {"phase": verdict.phase.value, "verdict": verdict_to_dict(verdict)}


def case_end(case: CaseResult) -> dict[str, Any]:
    """Return the fields of `test`."""
    return {
        "nodeid": case.nodeid,
        "outcome": case.outcome.value,
        "reason": case.reason,
        "duration_s": round(case.duration_s, 3),
        **({"carried_from": case.carried_from} if case.carried_from else {}),
    }


def run_end(exit_status: int, run: RunResult | None = None) -> dict[str, Any]:
    """Return the fields of `run-end` that differ from their defaults."""
    return {"exit_status": exit_status, "run": _changed(run) if run is not None else {}}


def _given(run: RunResult) -> dict[str, Any]:
    return {key: value for key, value in run_to_dict(run).items() if key not in DERIVED}


def _changed(run: RunResult) -> dict[str, Any]:
    default = run_to_dict(RunResult())
    return {key: value for key, value in _given(run).items() if value != default[key]}
