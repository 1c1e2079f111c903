"""Run one phase: collect its checks; an exception becomes one of them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.errors import DeadlineExpired, GuestError, HarnessError
from harness.core.files import host_error_from
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.results.journal_events import PHASE_START, phase_start

if TYPE_CHECKING:
    from harness.machine.machine import Machine


class PhaseModule(Protocol):
    """What a module in this package offers."""

    @property
    def PHASE(self) -> Phase:  # noqa: N802  (a module's constant)
        """Which phase it is."""

    @property
    def CHECKS(self) -> tuple[CheckSpec, ...]:  # noqa: N802  (a module's constant)
        """Its checks, in the order in which they are answered."""

    def run(self, machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
        """Act, observe, and yield each check in the order of `CHECKS`."""


def collect(declared: Sequence[CheckSpec], steps: Callable[[], Iterator[Check]]) -> tuple[Check, ...]:
    """Collect the checks of a phase; an exception answers the first open one."""
    checks: list[Check] = []
    try:
        for check in steps():
            checks.append(check)  # noqa: PERF402  (what came before an exception is kept)
    except Exception as error:  # noqa: BLE001  (every phase has a verdict)
        answered = {check.name for check in checks}
        open_check = next((spec for spec in declared if spec.name not in answered), None)
        checks.append(from_exception(open_check, error))
    return tuple(checks)


def run_phase(module: PhaseModule, machine: Machine) -> Verdict:
    """Return the verdict of one phase on one machine; never raises."""
    journal = machine.context.journal
    journal.write(PHASE_START, machine.name, **phase_start(module.PHASE))
    started = journal.now()
    limits = machine.context.plan.spec.deadlines_s
    checks = collect(module.CHECKS, lambda: module.run(machine, limits))
    return Verdict(module.PHASE, machine.name, checks, started, journal.now())


def from_exception(check: CheckSpec | None, error: Exception) -> Check:
    """Return the check that an exception answers.

    FAIL for an expired guest wait, or a guest that cannot be asked; else ERROR.

    Args:
        check: The declared one; None where no declared check is open.
    """
    name, expected = (check.name, check.expected) if check else ("harness", "no exception")
    known = error if isinstance(error, HarnessError) else host_error_from(error)
    if known is not None:
        error = known
        status = Status.FAIL if isinstance(error, DeadlineExpired | GuestError) else Status.ERROR
        seen = f"{error.where}: {error.what}" if error.where else error.what
        if error.detail:
            seen += "\n" + error.detail
        cause = f"{error.what}; last seen: {error.last_seen}" if isinstance(error, DeadlineExpired) else error.what
        inconclusive = status is Status.FAIL and error.inconclusive
        return Check(name, status, expected, seen, error.remedy, error.evidence, cause, inconclusive)
    text = "".join(traceback.format_exception(error)[-4:])
    remedy = "this is a defect of the harness: report it with events.jsonl"
    return Check(name, Status.ERROR, expected, text, remedy, cause=_headline(error))


def _headline(error: Exception) -> str:
    """Return type and first line of an exception, as in a traceback."""
    lines = str(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]])
