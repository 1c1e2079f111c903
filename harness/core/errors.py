"""The exception tree. Every error has what, where, evidence and a remedy.

HarnessError
├── UsageError            the input is wrong: nothing was created, nothing was deleted (pytest exit code 4)
│   ├── ConfigError           the lab file
│   ├── SeedError             a seed ISO or the seed directory
│   └── LabBusyError          another session holds this lab
├── HostError             the host cannot do what is asked (rights, disk, memory, network, a missing program)
│   ├── ProcessError          an external program could not be run
│   └── VmrunError            `vmrun` answered with a failure (subclasses: harness.vmrun.errors)
├── GuestError            the guest could not be asked
└── DeadlineExpired       a wait ended without what it waited for
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from harness.core.secret import redact


class HarnessError(Exception):
    """A failure with its place, evidence and remedy; its texts are redacted.

    Args:
        what: One line: what could not be done.
        remedy: What the reader can do now, as a command or an instruction.
        where: The file, machine or setting that is concerned.
        detail: What the tool or the guest answered, verbatim.
        evidence: Files that show more.

    Attributes:
        inconclusive: Whether nothing wrong was seen: it took too long, or the guest could not be asked.
    """

    inconclusive: ClassVar[bool] = False

    def __init__(
        self, what: str, *, remedy: str, where: str = "", detail: str = "", evidence: Sequence[str] = ()
    ) -> None:
        self.what = redact(what)
        self.remedy = redact(remedy)
        self.where = redact(where)
        self.detail = redact(detail)
        self.evidence = tuple(evidence)
        super().__init__(self.what)

    def because(self, condition: str) -> Self:
        """Put the condition that explains this error in front of its first line.

        An empty condition changes nothing.
        """
        if condition:
            self.what = f"{condition}: {self.what}"
            self.args = (self.what,)
        return self

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [head]
        if self.detail:
            lines.append("  detail:   " + self.detail.strip().replace("\n", "\n            "))
        lines += [f"  evidence: {item}" for item in self.evidence]
        if self.remedy:
            lines.append("  remedy:   " + self.remedy.replace("\n", "\n            "))
        return "\n".join(lines)


class UsageError(HarnessError):
    """The input is wrong; nothing was created and nothing was deleted."""


class ConfigError(UsageError):
    """The lab file is wrong.

    The text has one problem per line, each with file:line:column.
    """


class SeedError(UsageError):
    """A seed ISO or its directory is not what the lab needs."""


class LabBusyError(UsageError):
    """Another session works on this lab at this moment."""


class HostError(HarnessError):
    """The host lacks something: rights, space, memory, a network, a program."""


class ProcessError(HostError):
    """An external program did not start, or did not end in time."""


class VmrunError(HostError):
    """`vmrun` answered with a failure."""


class GuestError(HarnessError):
    """The guest could not be asked."""


class DeadlineExpired(HarnessError):
    """A wait ended without success; `last_seen` is the last observation."""

    inconclusive = True

    def __init__(
        self, what: str, *, remedy: str, last_seen: str, where: str = "", evidence: Sequence[str] = ()
    ) -> None:
        self.last_seen = last_seen
        super().__init__(what, remedy=remedy, where=where, detail=f"last seen: {last_seen}", evidence=evidence)
