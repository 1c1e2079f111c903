"""One power-on of a machine, as its serial port tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from harness.core.deadline import Clock
from harness.guest.diagnosis import Diagnosis, Source, diagnose
from harness.guest.serial import KEPT_LINES, GuestEvent, SerialFollower

# One power-on has the installer's boot and the installed system's; a seed may restart its guest once more.
_MOST_BOOTS = 3


class PowerOnLog:
    """One power-on: its serial follower and the guest events seen so far; safe from several threads.

    Args:
        number: From 1, in this run.
        follower: Reads the console.
        clock: For how long the guest has been silent.
        on_event: Told each event, in their order.

    Attributes:
        events: Oldest first, of every boot since this power-on.
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
        self._heard_at = clock.monotonic()
        self._looked_at = ""
        self._shown: Diagnosis | None = None

    def poll(self) -> None:
        """Take what the console has to tell since the last time."""
        with self._lock:
            self._take(self.follower.poll())

    def finish(self) -> None:
        """Take the rest; nothing more will come."""
        with self._lock:
            self._take(self.follower.finish())

    def _take(self, fresh: Sequence[GuestEvent]) -> None:
        if fresh:
            self._heard_at = self._clock.monotonic()
        self.events += fresh
        for event in fresh:
            self._on_event(event)

    @property
    def foreign_events(self) -> list[str]:
        """A line for each other machine that wrote to this console: an older guest, or a neighbour."""
        log, foreign = self.follower.path.name, dict(self.follower.foreign)
        return [f"{count} event(s) in {log} are of another machine: it says {name}" for name, count in foreign.items()]

    @property
    def silence_s(self) -> float:
        """Seconds since the last event, or since power-on."""
        return self._clock.monotonic() - self._heard_at

    @property
    def boot_ids(self) -> list[str]:
        """The boots that spoke since this power-on, oldest first: the installer's, then the installed system's."""
        return list(dict.fromkeys(event.boot_id for event in self.events))

    def accepts_boot(self, boot_id: str) -> bool:
        """Return whether that boot spoke since this power-on; of a guest that never speaks any boot is believed."""
        return boot_id in self.boot_ids or not self.boot_ids

    @property
    def console(self) -> str:
        """What the console showed, its last few hundred lines."""
        return self.follower.tail(KEPT_LINES)

    def fatal_diagnosis(self) -> Diagnosis | None:
        """Return why waiting on is useless, or None: the console shows why, or the guest restarts for ever."""
        if len(self.boot_ids) > _MOST_BOOTS:
            return Diagnosis(
                f"the guest restarts again and again: {len(self.boot_ids)} boots since it was switched on",
                "the console shows what each boot ends with; does the disk come first in `bios.bootOrder`, and boot?",
                self.follower.last_line,
                Source.CONSOLE,
                fatal=True,
            )
        console = self.console
        if console != self._looked_at:  # a waiting thread asks several times a second, and the patterns are many
            self._looked_at, self._shown = console, diagnose(console)
        return self._shown if self._shown is not None and self._shown.fatal else None

    def last(self, name: str, *, boot_id: str | None = None, **fields: str) -> GuestEvent | None:
        """Return the latest event of that name with these fields, of that boot if one is given."""
        for event in reversed(self.events):
            same_boot = boot_id is None or event.boot_id == boot_id
            if event.event == name and same_boot and all(event.fields.get(k) == v for k, v in fields.items()):
                return event
        return None
