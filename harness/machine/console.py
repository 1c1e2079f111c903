"""The serial console of one VM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness.core.deadline import Clock
from harness.core.layout import MachineFiles
from harness.guest.console_log import ConsoleLog
from harness.guest.diagnosis import Diagnosis
from harness.guest.power_on_log import PowerOnLog
from harness.guest.serial import GuestEvent, SerialFollower
from harness.machine.journal import MachineJournal

# A guest that sends events counts as silent after this time without one.
_SILENCE_S = 300.0
# What firmware and boot loaders print on a serial port that the kernel was not given.
_FIRMWARE = re.compile(r"\s*(?:BdsDxe: |UEFI |SeaBIOS|iPXE|Booting from |ISOLINUX |Loading |$)")


class Console:
    """Guest events and console text since the last power-on; empty before it. Thread-safe.

    Args:
        files: The VM's files: its serial logs are followed.
        copies: The directory for copies of the console in which each line has its time.
        nonce: Marks the events of this VM: a neighbour's are not accepted.
        sends_events: Whether the seed makes the guest report on the serial line.
        journal: Where events are written.
        clock: Measures how long the guest has been silent.

    Attributes:
        sends_events: Whether the seed makes the guest report on the serial line.
    """

    def __init__(
        self,
        files: MachineFiles,
        copies: Path,
        *,
        nonce: str,
        sends_events: bool,
        journal: MachineJournal,
        clock: Clock,
    ) -> None:
        self._files = files
        self._copies = copies
        self._nonce = nonce
        self.sends_events = sends_events
        self._journal = journal
        self._clock = clock
        self._power_on: PowerOnLog | None = None

    def follow(self, number: int) -> None:
        """Follow the console of the `number`-th power-on from its start."""
        self._follow(number, history=False)

    def follow_running(self, number: int) -> GuestEvent | None:
        """Follow the console of a power-on of an earlier run; return its last event.

        What is on the console already is history: it answers questions about the boot, and is no news of this run.
        """
        self._follow(number, history=True)
        return self.events[-1] if self.events else None

    def _follow(self, number: int, *, history: bool) -> None:
        self.finish()
        serial = self._files.serial(number)
        copy = ConsoleLog(self._copies / serial.name, self._journal.now)
        follower = SerialFollower(serial, self._nonce, self._clock, copy.append)
        power_on = PowerOnLog(number, follower, self._clock, self._journal.guest_event)
        if history:
            copy.earlier = True
            power_on.read_history()
            copy.earlier = False
        self._power_on = power_on

    def listen(self) -> None:
        """Read the new lines of the console."""
        if self._power_on is not None:
            self._power_on.poll()

    def finish(self) -> None:
        """Read the rest of the console; note events of other machines.

        No more lines are expected.
        """
        if self._power_on is None:
            return
        self._power_on.finish()
        for text in self._power_on.foreign_events:
            self._journal.note(text)

    @property
    def started(self) -> bool:
        """Whether the VM was powered on, or found running, in this run."""
        return self._power_on is not None

    @property
    def log(self) -> Path | None:
        """The serial log of this power-on."""
        return self._files.serial(self._power_on.number) if self._power_on is not None else None

    @property
    def events(self) -> Sequence[GuestEvent]:
        """The guest's events since power-on, oldest first."""
        return self._power_on.events if self._power_on is not None else ()

    def last(self, name: str, *, boot_id: str | None = None) -> GuestEvent | None:
        """Return the latest event of that name, of that boot if one is given."""
        return self._power_on.last(name, boot_id=boot_id) if self._power_on is not None else None

    def accepts_boot(self, boot_id: str) -> bool:
        """Return whether that boot sent events since power-on, or none did."""
        return self._power_on is None or self._power_on.accepts_boot(boot_id)

    @property
    def silent(self) -> bool:
        """Whether no events are expected: by the seed, or after long silence."""
        return not self.sends_events or (self._power_on is not None and self._power_on.silence_s > _SILENCE_S)

    @property
    def text(self) -> str:
        """The last few hundred lines."""
        return self._power_on.console if self._power_on is not None else ""

    @property
    def mute(self) -> bool:
        """Whether nothing came since power-on, but for lines of the firmware."""
        return all(_FIRMWARE.match(line) for line in self.text.splitlines())

    def tail(self, lines: int) -> str:
        """Return the last lines."""
        return self._power_on.follower.tail(lines) if self._power_on is not None else ""

    def failure(self) -> Diagnosis | None:
        """Return why the guest cannot get any further, or None."""
        return self._power_on.fatal_diagnosis() if self._power_on is not None else None
