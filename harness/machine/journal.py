"""Journal entries of one machine."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.verdict import Phase
from harness.guest.serial import GuestEvent
from harness.results import journal_events as events
from harness.results.journal import Journal


class MachineJournal:
    """Writes the events of one machine to the run's journal; thread-safe.

    Attributes:
        last_state: The last state that was written, or `nothing yet`.
    """

    def __init__(self, journal: Journal, machine: str) -> None:
        self._journal = journal
        self._machine = machine
        self.last_state = "nothing yet"

    def now(self) -> float:
        """Return the seconds since the start of the run."""
        return self._journal.now()

    def state(self, text: str, *, phase: Phase | None = None) -> None:
        """Write the machine's state, once per change.

        Args:
            text: What was seen.
            phase: A phase of the whole lab during which it was seen; None for the machine's own.
        """
        if text != self.last_state:
            self.last_state = text
            of_phase = {} if phase is None else {"phase": str(phase)}
            self._journal.write(events.STATE, self._machine, text=text, **of_phase)

    def waiting(self, what: str, limit_s: float = 0.0) -> None:
        """Write what is waited for from now on; empty: for nothing."""
        self._journal.write(events.WAIT, self._machine, text=what, limit_s=round(limit_s, 1))

    def note(self, text: str, *, progress: bool = False) -> None:
        """Write a line that the report shows, and with `progress` the terminal.

        It is not a state of the machine: the last state is what was seen of the machine itself.
        """
        fields = {"text": text, **({"progress": True} if progress else {})}
        self._journal.write(events.NOTE, self._machine, **fields)

    def facts(self, facts: Mapping[str, object]) -> None:
        """Write facts that the report shows."""
        self._journal.write(events.MACHINE_FACTS, self._machine, facts=dict(facts))

    def evidence(self, path: str) -> None:
        """Write the path of collected evidence, relative to the run directory."""
        self._journal.write(events.EVIDENCE, self._machine, path=path)

    def guest_event(self, event: GuestEvent) -> None:
        """Write an event of the guest, which is the machine's state from now on."""
        fields = {"event": event.event, "boot_id": event.boot_id, "fields": dict(event.fields)}
        self._journal.write(events.GUEST_EVENT, self._machine, **fields)
        self.state(str(event))
