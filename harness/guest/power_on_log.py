"""Guest events of one power cycle, read from the serial log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from harness.core.deadline import Clock
from harness.guest.diagnosis import Diagnosis, Source, diagnose
from harness.guest.serial import KEPT_LINES, GuestEvent, SerialFollower

# One power cycle has the installer's boot and the installed system's; a seed may restart its guest once more.
_MAX_BOOTS = 3


class PowerOnLog:
    """Serial follower and guest events of one power cycle; thread-safe.

    Args:
        number: Counted from 1 in this run.
        follower: Reads the console.
        clock: Measures how long the guest has been silent.
        on_event: Called with each event, in order.

    Attributes:
        events: Oldest first, of all boots since power-on.
    """

    def __init__(
        self,
        number: int,
        follower: SerialFollower,
        clock: Clock,
        on_event: Callable[[GuestEvent], None] = lambda _: None,
    ) -> None:
        self.number = number
        self.follower = follower
        self.events: list[GuestEvent] = []
        self._clock = clock
        self._on_event = on_event
        self._lock = threading.Lock()
        self._last_event_at = clock.monotonic()
        self._diagnosed_text = ""
        self._diagnosis: Diagnosis | None = None

    def poll(self) -> None:
        """Read new console output."""
        with self._lock:
            self._add(self.follower.poll())

    def read_history(self) -> None:
        """Read what the console has already.

        Its events are kept, and not passed on as news.
        """
        with self._lock:
            self.events += self.follower.poll()

    def finish(self) -> None:
        """Read the rest; the console ends here."""
        with self._lock:
            self._add(self.follower.finish())

    def _add(self, fresh: Sequence[GuestEvent]) -> None:
        if fresh:
            self._last_event_at = self._clock.monotonic()
        self.events += fresh
        for event in fresh:
            self._on_event(event)

    @property
    def foreign_events(self) -> list[str]:
        """One line per other machine that wrote to this console."""
        log, foreign = self.follower.path.name, dict(self.follower.foreign)
        return [f"{count} event(s) in {log} are of another machine: nonce {name}" for name, count in foreign.items()]

    @property
    def silence_s(self) -> float:
        """Seconds since the last event, or since power-on."""
        return self._clock.monotonic() - self._last_event_at

    @property
    def boot_ids(self) -> list[str]:
        """Boots with events since power-on, oldest first."""
        return list(dict.fromkeys(event.boot_id for event in self.events))

    def accepts_boot(self, boot_id: str) -> bool:
        """Return whether the boot has events since power-on.

        Any boot if there are no events at all.
        """
        return boot_id in self.boot_ids or not self.boot_ids

    @property
    def console(self) -> str:
        """Last few hundred lines of the console, after those of the last start."""
        tail = self.follower.tail(KEPT_LINES)
        return "\n".join([*(line for line in self.follower.kernels.last if line not in tail), tail])

    def fatal_diagnosis(self) -> Diagnosis | None:
        """Return the fatal cause on the console, a restart loop, or None."""
        boots = max(len(self.boot_ids), self.follower.kernels.count)
        if self._installs_again() or boots > _MAX_BOOTS:
            return self._loop(boots)
        console = self.console
        if console != self._diagnosed_text:  # callers poll several times a second, and there are many patterns
            self._diagnosed_text, self._diagnosis = console, diagnose(console)
        return self._diagnosis if self._diagnosis is not None and self._diagnosis.fatal else None

    def _installs_again(self) -> bool:
        """Return whether an installer started again."""
        first = self.number == 1
        return self.follower.kernels.installer_count(blank_disk=first) > int(first)

    def _loop(self, boots: int) -> Diagnosis:
        what = f"the guest restarts again and again: {boots} boots since it was powered on"
        remedy = "read on the console how each boot ends; check that the disk is first in `bios.bootOrder` and boots"
        if self._installs_again():
            what = f"the machine booted its installer again (reinstall loop): {boots} kernel start(s) since power-on"
            remedy = (
                "the disk must come first in `bios.bootOrder` (`boot_order: [disk, cdrom]`) and must boot; read on the "
                "console how the installation before it ended; build the machine again with `--fresh`"
            )
        return Diagnosis(what, remedy, self.follower.last_line, Source.CONSOLE, fatal=True)

    def last(self, name: str, *, boot_id: str | None = None, **fields: str) -> GuestEvent | None:
        """Return the latest event with that name and fields."""
        for event in reversed(self.events):
            same_boot = boot_id is None or event.boot_id == boot_id
            if event.event == name and same_boot and all(event.fields.get(k) == v for k, v in fields.items()):
                return event
        return None
