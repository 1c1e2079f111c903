"""Faults on demand: `vmrun-qemu` fails and lies as VMware's `vmrun` was seen to, for tests of what drives it.

    VMRUN_QEMU_FAULTS=FAULT[:VERB][/MACHINE][#N|#N+],…

FAULT is one of `lies.FAULTS`; `vmrun-qemu about` lists them. VERB limits it to one command, which some faults need;
MACHINE to the machine whose VMX has that name (without `.vmx`); `#2` to the second such call, `#2+` to the second and
all later ones. Several entries: the first that is due counts. `VMRUN_QEMU_FAULTS=@FILE` reads the entries from a file
at each call, separated by commas or line ends, so that a test can change them while something runs.

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
    """One command: its verb as `VERBS` spells it, its parameters, and what carries it out."""

    verb: str
    parameters: Sequence[str]
    act: Callable[[], int]

    @property
    def vmx(self) -> str:
        """The path of the machine; empty for a verb without one."""
        return self.parameters[0] if VERBS[self.verb].on_vm else ""

    @property
    def machine(self) -> str:
        """The name of the machine's VMX, without its ending; on Windows `\\` separates too."""
        return ntpath.basename(self.vmx)[: -len(".vmx")]


class Fault(NamedTuple):
    """One way to go wrong: for which verbs (none means any), what it does in place of the verb, and that in words."""

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

    def concerns(self, call: Call, fault: Fault) -> bool:
        """Return whether the entry is about such a call, whichever in number it is."""
        verb_fits = self.verb == call.verb if self.verb else not fault.verbs or call.verb in fault.verbs
        return verb_fits and self.machine in ("", call.machine)

    def is_due(self, number: int) -> bool:
        """Return whether the entry is about that call of those which it concerns; they count from 1."""
        return not self.first or number == self.first or (self.later_too and number > self.first)


def carry_out(text: str, known: dict[str, Fault], call: Call) -> int:
    """Return the status of the verb, or of the fault that is due in its place.

    Raises:
        Failure: The text is no list of faults, or as the fault has it.
    """
    for entry in parse(text, known):
        fault = known[entry.fault]
        if entry.concerns(call, fault) and (not entry.first or entry.is_due(_count(entry))):
            return fault.do(call)
    return call.act()


def parse(text: str, known: dict[str, Fault]) -> list[Entry]:
    """Return the entries of the variable, or of the file that it names.

    Raises:
        Failure: With the entry that cannot be understood, and what can be.
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
    """Return the number of this call among those that the entry concerns."""
    file = home.root() / "faults.json"
    with FileLock(home.root() / "faults.lock", timeout=_LOCK_S):
        counts = home.read_json(file) or {}
        counts[entry.text] = counts.get(entry.text, 0) + 1
        home.write_json(file, counts)
    return int(counts[entry.text])
