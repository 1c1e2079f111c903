"""A bench that replays a transcript, through a process that prints it."""

from __future__ import annotations

import ntpath
import posixpath
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.errors import ProcessError
from harness.system import process
from vmrun_contract import replay, transcript
from vmrun_contract.bench import Bench, Vm
from vmrun_contract.transcript import Look, Names, Transcript

_ATTEMPTS = 50
_HANG_S = 1.0  # a command that hangs is ended sooner than a real one


class TranscriptClock:
    """Time that only sleeping takes."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


class ReplayBench(Bench):
    """One section of a transcript.

    Args:
        path: The transcript.
        parsed: The same, parsed.
        section: The test's name.
        directory: For the place in the section.
    """

    def __init__(self, path: Path, parsed: Transcript, section: str, directory: Path) -> None:
        vms = r"C:\contract" if parsed.platform == "win32" else "/contract"
        super().__init__(path.stem, parsed.platform, Names(vms, parsed.separator))
        self.guest_system = parsed.guest
        self.clock = TranscriptClock()
        self._position = directory / "position"
        self._position.write_text("0", encoding="ascii")
        self._entries = parsed.sections[section]
        self._env = {
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PYTHONIOENCODING": "utf-8",
            replay.TRANSCRIPT: str(path),
            replay.SECTION: section,
            replay.POSITION: str(self._position),
            replay.VMS: vms,
        }

    @property
    def argv(self) -> tuple[str, ...]:
        return (sys.executable, "-S", "-m", "vmrun_contract.replay")

    @property
    def env(self) -> Mapping[str, str]:
        return self._env

    @property
    def changes_the_host(self) -> bool:
        return True

    @property
    def host_type_words(self) -> tuple[str, ...]:
        return ("-T", "ws")

    def recorded(self, words: tuple[str, ...]) -> tuple[int, str, str] | None:
        """Return the transcript's answer without a process; None where it hangs."""
        call = replay.answer(self._entries, self._position, self.names, words)
        assert call is not None, f"not in the transcript: {words}"
        return None if call.code is None else (call.code & 0xFF, call.out, call.err)

    def execute(self, words: tuple[str, ...], seconds: float) -> tuple[int, str, str] | None:
        coming = replay.coming(self._entries, self._position, self.names, words)
        hangs = coming is not None and coming[0].code is None
        try:
            done = process.run((*self.argv, *words), timeout_s=_HANG_S if hangs else seconds, env=self.env)
        except ProcessError:
            assert coming is not None, f"did not end: {words}"
            self._position.write_text(str(coming[1]), encoding="ascii")  # it may have been ended before it came so far
            return None
        assert done.returncode != replay.NOT_WRITTEN_DOWN, done.stderr
        return done.returncode, done.stdout, done.stderr

    def make(self, vm: Vm, settings: Mapping[str, str]) -> None:
        """Do nothing: the transcript has the machine."""

    def edit(self, vm: Vm, key: str, value: str) -> None:
        """Do nothing: the transcript has the change."""

    def write(self, path: str, text: str) -> None:
        """Do nothing: the transcript has the file."""

    def folder(self, path: str) -> None:
        """Do nothing: the transcript has the directory."""

    def see(self, words: tuple[str, ...]) -> Any:
        entries = [_filled(entry, self.names) for entry in self._entries]
        found = transcript.match(entries, int(self._position.read_text(encoding="ascii")), Look, words)
        assert found is not None, f"not in the transcript: {words}"
        entry, position = found
        assert isinstance(entry, Look)
        self._position.write_text(str(position), encoding="ascii")
        return entry.seen

    def same(self, path: str, vm: Vm) -> bool:
        if self.platform == "win32":
            return ntpath.normcase(path) == ntpath.normcase(vm)
        return posixpath.normpath(path) == vm

    def attempts(self, seconds: float) -> Iterator[None]:
        yield from (None for _ in range(_ATTEMPTS))


def _filled(entry: transcript.Entry, names: Names) -> transcript.Entry:
    if not isinstance(entry, Look):
        return entry
    seen = names.fill(entry.seen) if isinstance(entry.seen, str) else entry.seen
    return Look(tuple(names.fill(word) for word in entry.words), seen)
