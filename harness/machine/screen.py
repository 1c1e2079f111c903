"""The screen of a VM whose serial port says nothing.

An installer without a serial console shows its questions there only. The pictures are not read: a reader sees at once
what they show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from harness.core.best_effort import error_text
from harness.core.deadline import Clock, Deadline
from harness.machine.console import Console
from harness.machine.journal import MachineJournal

NAME = "screen.png"
# A guest that sends events has this long for its first output; any other one is looked at within seconds.
_FIRST_LOOK_S = 120.0
_FIRST_LOOK_WITHOUT_EVENTS_S = 10.0
_PAUSE_S = 15.0
_CAPTURE_S = 20.0
# A cursor that blinks has two pictures.
_KNOWN_PICTURES = 4
_STILL_S = 60.0
_MOST_FAILURES = 2

Capture = Callable[[Path, Deadline], None]


class Screen:
    """Takes pictures while a powered-on VM has printed nothing on its serial port.

    Args:
        picture: The file in the run directory.
        capture: Saves the screen; may raise anything.
        console: Whether the serial port has said something.
        journal: Where the picture is reported, once.
        clock: Decides when the next picture is taken.
        needed: Whether the guest has not answered yet.

    Attributes:
        seen: What the screen shows of the wait, for the error of an expired one; empty without a picture.
    """

    def __init__(
        self,
        picture: Path,
        capture: Capture,
        *,
        console: Console,
        journal: MachineJournal,
        clock: Clock,
        needed: Callable[[], bool] = lambda: True,
    ) -> None:
        self.picture = picture
        self.seen = ""
        self._capture = capture
        self._console = console
        self._journal = journal
        self._clock = clock
        self._needed = needed
        self._log: Path | None = None
        self._restart()

    def _restart(self) -> None:
        """Begin anew: the VM was powered on."""
        self.seen = ""
        patience = _FIRST_LOOK_S if self._console.sends_events else _FIRST_LOOK_WITHOUT_EVENTS_S
        self._next_look = self._clock.monotonic() + patience
        self._pictures: list[bytes] = []
        self._still_since = 0.0
        self._failures = 0

    def look(self) -> None:
        """Take a picture if it is time for one; never raises."""
        log = self._console.log
        if log != self._log:
            self._log = log
            self._restart()
        if log is None or self._failures >= _MOST_FAILURES or self._clock.monotonic() < self._next_look:
            return
        self._next_look = self._clock.monotonic() + _PAUSE_S
        if not self._console.mute or not self._needed():
            self.seen = ""
            return
        try:
            self.picture.parent.mkdir(parents=True, exist_ok=True)
            self._capture(self.picture, Deadline(_CAPTURE_S, self._clock))
            self._compare(self.picture.read_bytes())
        except Exception as error:  # noqa: BLE001 - a picture is no reason to end a wait
            self._failures += 1
            if self._failures == _MOST_FAILURES:
                self._journal.note(f"nothing on the serial port, and no picture of the screen: {error_text(error)}")

    def _compare(self, data: bytes) -> None:
        digest, now = hashlib.sha256(data).digest(), self._clock.monotonic()
        if digest not in self._pictures:
            self._still_since = now
        self._pictures = [*self._pictures[1 - _KNOWN_PICTURES :], digest]
        shown = f"{self.picture.parent.name}/{self.picture.name}"
        still = now - self._still_since >= _STILL_S
        text = f"nothing on the serial port; the screen: {shown}"
        if still:
            text = f"nothing on the serial port; the screen has stood still for a minute: {shown}"
        if text != self.seen:
            self._journal.note(text, progress=True)
            self._journal.evidence(shown)
        self.seen = text
