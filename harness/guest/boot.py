"""One power-on of a machine, as its serial port tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.guest.diagnosis import Diagnosis, Source, diagnose
from harness.guest.serial import KEPT_LINES, GuestEvent, SerialFollower

# One power-on has the installer's boot and the installed system's; a seed may restart its guest once more.
_MOST_BOOTS = 3


@dataclass
class Boot:
    """One power-on: its serial follower and the guest events seen so far, by boot id."""

    number: int
    follower: SerialFollower
    events: list[GuestEvent] = field(default_factory=list)

    @property
    def boot_ids(self) -> list[str]:
        """The boots that spoke since this power-on, oldest first: the installer's, then the installed system's."""
        return list(dict.fromkeys(event.boot_id for event in self.events))

    @property
    def console(self) -> str:
        """What the console showed, its last few hundred lines."""
        return self.follower.tail(KEPT_LINES)

    def hopeless(self) -> Diagnosis | None:
        """Return why waiting on is useless, or None: the console shows why, or the guest restarts for ever."""
        if len(self.boot_ids) > _MOST_BOOTS:
            return Diagnosis(
                f"the guest restarts again and again: {len(self.boot_ids)} boots since it was switched on",
                "the console shows what each boot ends with; does the disk come first in `bios.bootOrder`, and boot?",
                self.follower.last_line,
                Source.CONSOLE,
                fatal=True,
            )
        found = diagnose(self.console)
        return found if found is not None and found.fatal else None

    def last(self, name: str, *, boot_id: str | None = None, **fields: str) -> GuestEvent | None:
        """Return the latest event of that name with these fields, of that boot if one is given."""
        for event in reversed(self.events):
            same_boot = boot_id is None or event.boot_id == boot_id
            if event.event == name and same_boot and all(event.fields.get(k) == v for k, v in fields.items()):
                return event
        return None
