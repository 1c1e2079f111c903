"""One power-on of a machine, as its serial port tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.guest.serial import GuestEvent, SerialFollower


@dataclass
class Boot:
    """One power-on: its serial follower and the guest events seen so far, by boot id."""

    number: int
    follower: SerialFollower
    events: list[GuestEvent] = field(default_factory=list)

    def last(self, name: str, *, boot_id: str | None = None, **fields: str) -> GuestEvent | None:
        """Return the latest event of that name with these fields, of that boot if one is given."""
        for event in reversed(self.events):
            same_boot = boot_id is None or event.boot_id == boot_id
            if event.event == name and same_boot and all(event.fields.get(k) == v for k, v in fields.items()):
                return event
        return None
