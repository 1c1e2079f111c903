"""Verdicts of one run: machines' threads publish them, tests wait for them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace

from harness.core.verdict import Phase, Verdict
from harness.phases import MACHINE_PHASES
from harness.results.journal import Journal
from harness.results.journal_events import PHASE_END, phase_end

_HEARTBEAT_S = 1.0


class Verdicts:
    """One verdict per phase and machine; thread-safe.

    Args:
        journal: Each verdict is written to it before anyone can read it.
        heartbeat_s: How often `waiting` is called during a wait.
    """

    def __init__(self, journal: Journal, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self._journal = journal
        self._heartbeat_s = heartbeat_s
        self._futures: dict[tuple[str | None, Phase], Future[Verdict]] = {}

    def expect(self, machine: str | None, phase: Phase) -> None:
        """Announce that the run will reach that verdict."""
        self._future(machine, phase)

    def add(self, verdict: Verdict) -> Verdict:
        """Journal and publish the verdict; return it without secrets.

        Raises:
            OSError: The journal cannot be written. The verdict is not published then.
        """
        masked = self.journal(verdict)
        self.publish(masked)
        return masked

    def journal(self, verdict: Verdict) -> Verdict:
        """Journal the verdict; return it without secrets.

        Raises:
            OSError: The journal cannot be written.
        """
        masked = replace(verdict, checks=tuple(check.masked() for check in verdict.checks))
        self._journal.write(PHASE_END, masked.machine, **phase_end(masked))
        return masked

    def publish(self, verdict: Verdict) -> None:
        """Release every thread that waits for the verdict."""
        self._future(verdict.machine, verdict.phase).set_result(verdict)

    def known(self, machine: str | None, phase: Phase) -> Verdict | None:
        """Return the verdict, or None before it is published."""
        future = self._futures.get((machine, phase))
        return future.result() if future is not None and future.done() else None

    def wait_for(self, machine: str | None, phase: Phase, waiting: Callable[[], None] | None = None) -> Verdict:
        """Wait for the verdict; call `waiting` about once a second meanwhile.

        Raises:
            KeyError: The run does not need that phase.
        """
        future = self._futures[machine, phase]
        while True:
            try:
                return future.result(timeout=self._heartbeat_s)
            except FutureTimeout:
                if waiting is not None:
                    waiting()

    def ready_for(self, machine: str, phase: Phase, waiting: Callable[[], None] | None = None) -> Verdict | None:
        """Return the verdict of an earlier phase that blocks `phase`, or None."""
        for module in MACHINE_PHASES:
            if module.PHASE.number < phase.number:
                verdict = self.wait_for(machine, module.PHASE, waiting)
                if verdict.status.stops:
                    return verdict
        return None

    def recorded(self) -> list[Verdict]:
        """Return the verdicts that are published by now."""
        return [future.result() for future in self._futures.values() if future.done()]

    @property
    def complete(self) -> bool:
        """Whether every expected verdict is published."""
        return all(future.done() for future in self._futures.values())

    def _future(self, machine: str | None, phase: Phase) -> Future[Verdict]:
        return self._futures.setdefault((machine, phase), Future())
