"""The expected report of a fault, and its comparison with a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sessions.fake_lab import FakeLab

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.run_json import from_json

WORKER = "k3s-worker1"
# A wait may end so much later than its deadline.
LATE_S = 2.0


@dataclass(frozen=True)
class Expected:
    """The first broken check that a fault has to cause.

    Attributes:
        phase: Where it breaks.
        check: Which check.
        cause: Part of the first line.
        remedy: Part of what to do.
        limit_s: The deadline that it hits; the phase ends within two seconds after it.
        status: FAIL where the guest is wrong, ERROR where the host or the hypervisor is.
        machine: None where the lab as a whole is concerned.
    """

    phase: Phase
    check: str
    cause: str
    remedy: str
    limit_s: float = 0.0
    status: Status = Status.FAIL
    machine: str | None = WORKER

    def __str__(self) -> str:
        return f"{self.phase}: {self.check}: {self.status}: {self.cause}"


@dataclass(frozen=True)
class Fault:
    """One row of the matrix: the fault, the last module, the report."""

    name: str
    make: Callable[[FakeLab], object]
    upto: str
    expected: Expected
    deadlines: dict[str, int] = field(default_factory=dict)


def set_deadlines(lab: FakeLab, deadlines: dict[str, int]) -> None:
    for name, seconds in deadlines.items():
        lab.edit(f"{name}: 20", f"{name}: {seconds}")


def first_broken(lab: FakeLab) -> tuple[Verdict, Check]:
    """Return the earliest failed phase of the run and its broken check."""
    run = from_json((lab.latest / "run.json").read_text(encoding="utf-8"))
    broken = [verdict for verdict in run.verdicts if verdict.status in (Status.FAIL, Status.ERROR)]
    assert broken, "the fault was not seen"
    verdict = min(broken, key=lambda one: one.ended_s)
    return verdict, next(check for check in verdict.checks if check.status in (Status.FAIL, Status.ERROR))


def assert_seen(lab: FakeLab, result: pytest.RunResult, expected: Expected) -> tuple[str, float]:
    """Assert that the run is red for that reason and in time.

    Return its first line and the phase's seconds.
    """
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    verdict, check = first_broken(lab)
    line = f"{verdict.title}: {check}".splitlines()[0]
    took_s = verdict.ended_s - verdict.started_s
    assert (verdict.phase, verdict.machine, check.name) == (expected.phase, expected.machine, expected.check), line
    assert check.status is expected.status, line
    assert expected.cause in line
    assert expected.remedy in check.remedy
    assert took_s <= expected.limit_s + LATE_S, line
    start = f"E       AssertionError: {check.why}" if expected.phase is Phase.GUESTS else line
    assert any(shown.startswith(start) for shown in result.outlines), "the first line of the failed test"
    headline = json.loads((lab.latest / "run.json").read_text(encoding="utf-8"))["headline"]
    assert f"{verdict.title}: {check.name}: " in headline
    return line, took_s
