"""The bench of one `vmrun`: commands, answers, observations of the host.

A bench is live (module `live`) or replays a transcript (module `replaying`); a test does not know which.

A bench is live (module `live`) or replays a transcript (module `replaying`); a test does not know which.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.deadline import SYSTEM_CLOCK, Clock
from harness.system import process
from harness.system.process import Completed
from harness.vmrun.error_table import signed_status
from vmrun_contract.questions import QUESTIONS
from vmrun_contract.transcript import Call, Entry, Look, Names, condensed, normal

COMMAND_S = 600.0
_ERROR = "Error: "
FAILURE = -1
DISK_TOOL = "vmware-vdiskmanager"


class Vm(str):
    """The VMX path of a machine; `name` is the machine's."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, path: str, name: str) -> Vm:
        made = super().__new__(cls, path)
        made.name = name
        return made


@dataclass(frozen=True)
class Answer:
    """The answer to a command.

    `code` is the status as vmrun means it, `raw` as the platform gives it; `text` has LF.
    """

    words: tuple[str, ...]
    code: int
    raw: int
    text: str
    err: str
    settle: Callable[[str, str], None] = field(repr=False, compare=False)

    @property
    def lines(self) -> list[str]:
        """The lines of the answer, without empty ones at the end."""
        return self.text.rstrip("\n").split("\n") if self.text.strip("\n") else []

    @property
    def failed(self) -> bool:
        """Whether the command failed.

        Some builds fail with the status 0 and an `Error:` line.
        """
        return self.code != 0 or any(line.startswith(_ERROR) for line in self.lines)

    @property
    def error(self) -> str:
        """The text behind `Error: `, or an empty text."""
        return next((line.removeprefix(_ERROR) for line in self.lines if line.startswith(_ERROR)), "")

    def silent(self) -> None:
        """Assert that it succeeded without output."""
        assert (self.code, self.text.strip()) == (0, ""), self

    def says(self, *lines: str) -> None:
        """Assert that it succeeded with exactly these lines."""
        assert (self.code, self.lines) == (0, list(lines)), self

    def fails(self, *texts: str) -> str:
        """Assert that it failed with one of these texts, and return it.

        Without a text, any is taken.

        The status is -1; a status of 0 beside the `Error:` line is the other reading.
        """
        assert self.error, f"expected `Error: {' | '.join(texts)}`: {self}"
        assert not texts or self.error in texts, f"expected `Error: {' | '.join(texts)}`: {self}"
        assert self.code in (FAILURE, 0), self
        self.settle("exit-zero-with-error", "yes" if self.code == 0 else "no")
        if self.code == FAILURE:
            self.settle("failure-status", str(self.raw))
        return self.error


class Bench(ABC):
    """One `vmrun`, for one test."""

    def __init__(self, name: str, platform: str, names: Names) -> None:
        self.name = name
        self.platform = platform
        self.names = names
        self.machines: dict[str, Vm] = {}
        self.entries: list[Entry] = []
        self.settled: list[tuple[str, str]] = []
        self.guest_system = "linux"
        self.clock: Clock = SYSTEM_CLOCK

    def __call__(self, *words: str, login: tuple[str, str] | None = None) -> Answer:
        """Return the answer to a command; it ends."""
        answer = self.within(COMMAND_S, *words, login=login)
        assert answer is not None, f"{words} did not end within {COMMAND_S:.0f} s"
        return answer

    def within(self, seconds: float, *words: str, login: tuple[str, str] | None = None) -> Answer | None:
        """Return the answer to a command, or None after a timeout.

        The command is ended then.
        """
        flags = ("-gu", login[0], "-gp", login[1]) if login else ()
        return self._asked((*self.host_type_words, *flags, *words), seconds)

    def plain(self, *words: str) -> Answer:
        """Return the answer to exactly these words, without `-T`."""
        answer = self._asked(words, COMMAND_S)
        assert answer is not None, f"{words} did not end within {COMMAND_S:.0f} s"
        return answer

    def _asked(self, words: tuple[str, ...], seconds: float) -> Answer | None:
        shown = normal(words)
        done = self.execute(tuple(str(word) for word in words), seconds)
        self.entries.append(self._written(shown, done))
        if done is None:
            return None
        raw, out, err = done
        assert err == "", f"vmrun prints on standard output only: {err}"
        return Answer(shown, signed_status(raw), raw, out, err, self.settle)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        keep_children: bool = False,
    ) -> Completed:
        """Run a driver's command: the process door of `harness.vmrun.Vmrun`, written down here."""
        done = process.run(argv, timeout_s=timeout_s, env=env, keep_children=keep_children)
        words = normal(argv[len(self.argv) :])
        self.entries.append(self._written(words, (done.returncode, done.stdout, done.stderr)))
        return done

    def disk_tool(self, *words: str) -> Answer:
        """Return the answer of the disk tool that belongs to this vmrun."""
        done = self.execute((DISK_TOOL, *words), COMMAND_S)
        assert done is not None, f"{words} did not end within {COMMAND_S:.0f} s"
        shown = (DISK_TOOL, *words)
        self.entries.append(self._written(shown, done))
        raw, out, err = done
        return Answer(shown, signed_status(raw), raw, out, err, self.settle)

    def _written(self, words: tuple[str, ...], done: tuple[int, str, str] | None) -> Call:
        hidden = tuple(self.hide(word) for word in words)
        if done is None:
            return Call(hidden, code=None)
        raw, out, err = done
        shown = self.hide(out)
        if hidden[-1:] == ("list",):
            shown = "".join(self._only_ours(line) for line in shown.splitlines(keepends=True))
        return Call(hidden, shown, self.hide(err), signed_status(raw))

    def _only_ours(self, line: str) -> str:
        """Return a line of `list` without the path of another's machine.

        So it may be sent to other people.
        """
        ours = "{" in line or not line.rstrip().lower().endswith(".vmx")
        return line if ours else "another.vmx\n"

    def hide(self, text: str) -> str:
        """Return a text with placeholders for the paths of this bench."""
        return self.names.hide(text, self.machines)

    def machine(self, name: str, **settings: str) -> Vm:
        """Return a machine, off, with a blank disk and an empty CD drive.

        `settings` replace VMX keys (`_` is `.`).
        """
        made = self.vm(name)
        self.make(made, {key.replace("_", "."): value for key, value in settings.items()})
        return made

    def vm(self, name: str) -> Vm:
        """Return the path of a machine that is not there yet."""
        self.machines[name] = Vm(self.names.vmx(name), name)
        return self.machines[name]

    def path(self, *parts: str) -> str:
        """Return a path in the directory of all machines."""
        return self.names.separator.join((self.names.vms, *parts))

    def look(self, *words: str) -> Any:
        """Return an observation of the host.

        It is asked as `setting VMX KEY`, `locks VMX`, `suffixes VMX`, `exists PATH`, …
        """
        seen = self.see(words)
        self.entries.append(Look(tuple(self.hide(word) for word in words), self._hidden(seen)))
        return seen

    def _hidden(self, seen: Any) -> Any:
        if isinstance(seen, list):
            return [self._hidden(item) for item in seen]
        return self.hide(seen) if isinstance(seen, str) else seen

    def listed(self) -> list[str]:
        """Return the names of this bench's machines in `list`.

        The first line of `list` has to count all lines.
        """
        answer = self("list")
        assert answer.code == 0, answer
        head, *paths = answer.lines
        assert head == f"Total running VMs: {len(paths)}"
        return sorted(vm.name for vm in self.machines.values() if any(self.same(path, vm) for path in paths))

    def eventually(self, probe: Callable[[], bool], seconds: float = 30) -> None:
        """Assert that `probe` holds within that time."""
        for _ in self.attempts(seconds):
            if probe():
                return
        raise AssertionError(f"not within {seconds:.0f} s")

    def settle(self, question: str, reading: str) -> None:
        """Answer an open question."""
        readings = QUESTIONS[question].readings
        assert not readings or reading in readings, f"{question}: {reading} is none of {list(readings)}"
        self.settled.append((question, self.hide(reading)))

    def condensed(self) -> tuple[Entry, ...]:
        """Return what was asked and seen, as a transcript's section."""
        return condensed(self.entries)

    def forget(self) -> None:
        """Begin a new section: nothing was asked, seen or settled so far."""
        self.entries.clear()
        self.settled.clear()

    @property
    @abstractmethod
    def argv(self) -> tuple[str, ...]:
        """The program and its first words, for a driver."""

    @property
    @abstractmethod
    def env(self) -> Mapping[str, str]:
        """The variables that the program needs."""

    @property
    @abstractmethod
    def changes_the_host(self) -> bool:
        """Whether a command about networks would change those of this host."""

    @property
    @abstractmethod
    def host_type_words(self) -> tuple[str, ...]:
        """`-T` and the product."""

    @abstractmethod
    def execute(self, words: tuple[str, ...], seconds: float) -> tuple[int, str, str] | None:
        """Return status, output and standard error of `vmrun WORDS`.

        None where it did not end in time.
        """

    @abstractmethod
    def make(self, vm: Vm, settings: Mapping[str, str]) -> None:
        """Create the machine's files."""

    @abstractmethod
    def edit(self, vm: Vm, key: str, value: str) -> None:
        """Change a VMX key on disk."""

    @abstractmethod
    def write(self, path: str, text: str) -> None:
        """Write a file of this bench."""

    @abstractmethod
    def folder(self, path: str) -> None:
        """Create an empty directory of this bench."""

    @abstractmethod
    def see(self, words: tuple[str, ...]) -> Any:
        """Return what `look` asks for, as a JSON value."""

    @abstractmethod
    def same(self, path: str, vm: Vm) -> bool:
        """Return whether a path of `list` is that machine."""

    @abstractmethod
    def attempts(self, seconds: float) -> Any:
        """Yield as often as something may be asked again within that time."""

    @property
    def directory(self) -> Path:
        """The directory of all machines, on a live bench."""
        return Path(self.names.vms)
