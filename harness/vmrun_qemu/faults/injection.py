"""Fault injection: `vmrun-qemu` fails or answers wrongly, to test a driver.

    VMRUN_QEMU_FAULTS=FAULT[:VERB][/MACHINE][#N|#N+],…

FAULT is one of `catalog.FAULTS`; `vmrun-qemu about` lists them. VERB limits it to one command, which some faults need;
MACHINE to the VM whose VMX has that name (without `.vmx`); `#2` to the second such call, `#2+` to the second and all
later ones. Of several entries the first that is due counts. `VMRUN_QEMU_FAULTS=@FILE` reads the entries from a file at
each call, separated by commas or line ends, so that a test can change them while something runs.

    VMRUN_QEMU_FAULTS=tools-installed,exit-zero-error:start/worker1#1,hang:stop

Calls are counted under the home, by the text of the entry.
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.verbs import VERBS

VARIABLE = "VMRUN_QEMU_FAULTS"
_ENTRY = re.compile(r"([a-z-]+)(?::(\w+))?(?:/([^/#]+))?(?:#([1-9]\d*)(\+?))?")
_LOCK_S = 10.0


class Call(NamedTuple):
    """A call of a command; `act` runs it.

    `verb` is spelled as in `VERBS`.
    """

    verb: str
    parameters: Sequence[str]
    act: Callable[[], int]

    @property
    def vmx(self) -> str:
        """The VMX path; empty for a verb without one."""
        return self.parameters[0] if VERBS[self.verb].on_vm else ""

    @property
    def machine(self) -> str:
        """The name of the VMX without its suffix.

        `\\` separates too, as on Windows.
        """
        return ntpath.basename(self.vmx)[: -len(".vmx")]


class Fault(NamedTuple):
    """A fault: its verbs (none means any), function and description."""

    verbs: frozenset[str]
    do: Callable[[Call], int]
    help: str


class Entry(NamedTuple):
    """One entry of the variable; `first` is 0 when every call counts."""

    text: str
    fault: str
    verb: str
    machine: str
    first: int
    later_too: bool

    def applies_to(self, call: Call, fault: Fault) -> bool:
        """Return whether the entry applies to such a call, whatever its number."""
        verb_fits = self.verb == call.verb if self.verb else not fault.verbs or call.verb in fault.verbs
        return verb_fits and self.machine in ("", call.machine)

    def is_due(self, number: int) -> bool:
        """Return whether the entry applies to the call number `number`, from 1."""
        return not self.first or number == self.first or (self.later_too and number > self.first)


def carry_out(text: str, known: dict[str, Fault], call: Call) -> int:
    """Run the verb, or the fault that is due instead.

    Raises:
        Failure: The text cannot be parsed, or the fault is a failure.
    """
    for entry in parse(text, known):
        fault = known[entry.fault]
        if entry.applies_to(call, fault) and (not entry.first or entry.is_due(_count(entry))):
            return fault.do(call)
    return call.act()


def parse(text: str, known: dict[str, Fault]) -> list[Entry]:
    """Parse the variable, or the file that it names.

    Raises:
        Failure: An entry cannot be parsed; the text names it and what is expected.
    """
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise Failure(f"{VARIABLE}: {error}") from error
    words = (word.strip() for word in re.split(r"[,\n]", text))
    return [_entry(word, known) for word in words if word]


def _entry(word: str, known: dict[str, Fault]) -> Entry:
    match = _ENTRY.fullmatch(word)
    if match is None:
        raise Failure(f"{VARIABLE}: {word}: expected FAULT[:VERB][/MACHINE][#N|#N+]")
    name, verb, machine, first, later = match.groups()
    fault = known.get(name)
    if fault is None:
        raise Failure(f"{VARIABLE}: {word}: no such fault; there are {', '.join(known)}")
    spelled = next((other for other in VERBS if other.lower() == (verb or "").lower()), "")
    if verb and (not spelled or (fault.verbs and spelled not in fault.verbs)):
        raise Failure(f"{VARIABLE}: {word}: this fault is about {_listed(fault.verbs) or 'any command of vmrun'}")
    if not verb and not fault.verbs:
        raise Failure(f"{VARIABLE}: {word}: which command? for example {name}:start")
    return Entry(word, name, spelled, machine or "", int(first or 0), bool(later))


def _listed(verbs: Iterable[str]) -> str:
    return ", ".join(verb for verb in VERBS if verb in verbs)


def _count(entry: Entry) -> int:
    """Count a call that the entry applies to; return its number."""
    file = home.root() / "faults.json"
    with FileLock(home.root() / "faults.lock", timeout=_LOCK_S):
        counts = home.read_json(file) or {}
        counts[entry.text] = counts.get(entry.text, 0) + 1
        home.write_json(file, counts)
    return int(counts[entry.text])
