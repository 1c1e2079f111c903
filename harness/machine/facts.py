"""Facts that a run learns about a guest. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

# Facts that identify the installation of a machine, by their names in the journal.
MACHINE_ID, RUNS, MARK = "machine id", "installer runs", "installation mark"


@dataclass(frozen=True)
class GuestFacts:
    """Facts about the guest of one installation.

    Attributes:
        boot_ids: Boots that were logged into or reported their end on the serial line, oldest first.
        ssh_logins: Successful SSH logins.
        host_key: The guest's SSH host key as `type blob`; empty before the first login.
        installation: What distinguishes this installation from another one, by name.
    """

    boot_ids: tuple[str, ...] = ()
    ssh_logins: int = 0
    host_key: str = ""
    installation: Mapping[str, str] = field(default_factory=dict)

    @property
    def boot_id(self) -> str:
        """The latest boot; empty before the first one."""
        return self.boot_ids[-1] if self.boot_ids else ""

    def booted(self, boot_id: str) -> GuestFacts:
        """Return the facts with one more boot."""
        return replace(self, boot_ids=(*self.boot_ids, boot_id))

    def logged_in(self, boot_id: str, *, logins: int, host_key: str | None) -> GuestFacts:
        """Return the facts after a login into that boot."""
        return replace(self.booted(boot_id), ssh_logins=logins, host_key=host_key or "")

    def changes_since(self, earlier: GuestFacts) -> dict[str, object]:
        """Return the fields of a `machine-facts` event that differ from `earlier`."""
        mine, before = _journalled(self), _journalled(earlier)
        return {name: value for name, value in mine.items() if before.get(name) != value}


def _journalled(facts: GuestFacts) -> dict[str, object]:
    known = {"boot_ids": list(facts.boot_ids), "ssh_logins": facts.ssh_logins, "host_key": facts.host_key}
    return {**{name: value for name, value in known.items() if value}, **facts.installation}
