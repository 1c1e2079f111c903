"""The contract suite itself: transcripts and wrong answers.

Transcripts are read as they are written, and a wrong answer makes a test red.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _pytest.outcomes import Skipped
from vmrun_contract import transcript
from vmrun_contract.behaviour import SUITE, all_behaviours
from vmrun_contract.guests import replayed
from vmrun_contract.questions import QUESTIONS
from vmrun_contract.replay import NOT_WRITTEN_DOWN
from vmrun_contract.replaying import ReplayBench
from vmrun_contract.transcript import Call, Entry, Look, Transcript, TranscriptError

from harness.system.process import Completed

TRANSCRIPTS = sorted((SUITE / "transcripts").glob("*.txt"))
EXAMPLE = """\
source: nowhere
platform: linux
confidence: T
guest: linux

[test_x]
$ -gu {user} start {one} "a \\"b\\" c"
| printed
|~ unfinished
! complained
= -1 P
$ stop {one} soft
= hangs
? setting {one} memsize
: "64"
"""
# What a test is right not to mind: beginning of its name -> what, of which command.
INDIFFERENT = {
    "test_the_driver_": ("status of",),  # the text counts, and in the end `list`
    "test_the_driver_starts_and_stops_a_machine": ("text of start", "text of stop"),
    # Open questions.
    "test_a_device_is_taken_out_and_put_back": ("text of",),
    "test_an_upgrade_of_the_virtual_hardware": ("text of upgradevm",),
    "test_a_variable_is_written_until_power_off": ("text of writeVariable",),
}


class Replay(ReplayBench):
    """A replay without processes."""

    def execute(self, words: tuple[str, ...], seconds: float) -> tuple[int, str, str] | None:
        return self.recorded(words)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        keep_children: bool = False,
    ) -> Completed:
        code, out, err = self.recorded(tuple(argv[len(self.argv) :])) or (0, "", "")
        return Completed(tuple(argv), code, out, err, 0.0)


def scripts() -> dict[str, Callable[..., None]]:
    """Return every test of a behaviour by its name."""
    found: dict[str, Callable[..., None]] = {}
    for path in sorted(SUITE.glob("test_contract_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            if name.startswith("test_"):
                assert name not in found, f"two tests are called {name}"
                found[name] = function
    return found


def test_a_transcript_is_written_as_it_was_read() -> None:
    parsed = transcript.parse(EXAMPLE)
    assert transcript.render(parsed) == EXAMPLE
    assert parsed.sections["test_x"] == (
        Call(("-gu", "{user}", "start", "{one}", 'a "b" c'), "printed\nunfinished", "complained\n", -1, "P"),
        Call(("stop", "{one}", "soft"), code=None),
        Look(("setting", "{one}", "memsize"), "64"),
    )


@pytest.mark.parametrize("line", ["% what", "= soon", ": {", "$ list\n[test_x]"])
def test_a_line_without_a_meaning_is_named(line: str) -> None:
    with pytest.raises(TranscriptError, match=r"line \d+: "):
        transcript.parse(EXAMPLE + line + "\n")


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_each_section_of_a_transcript_is_of_a_test(path: Path) -> None:
    parsed = transcript.parse(path.read_text(encoding="utf-8"))
    assert parsed.platform in ("win32", "linux", "darwin")
    assert parsed.source
    assert set(parsed.sections) <= set(scripts())


def test_a_command_that_is_not_in_the_transcript_fails(tmp_path: Path) -> None:
    path = tmp_path / "recorded.txt"
    path.write_text(EXAMPLE, encoding="utf-8")
    bench = ReplayBench(path, transcript.parse(EXAMPLE), "test_x", tmp_path)
    with pytest.raises(AssertionError, match="not in the transcript"):
        bench("list")
    assert NOT_WRITTEN_DOWN not in (0, 255)


def test_machines_that_are_not_ours_are_not_written_down(tmp_path: Path) -> None:
    path = tmp_path / "recorded.txt"
    head = EXAMPLE.partition("[test_x]")[0]
    parsed = f"{head}[test_y]\n$ list\n| Total running VMs: 2\n| {{one}}\n| /home/me/secret/plans.vmx\n= 0\n"
    path.write_text(parsed, encoding="utf-8")
    bench = Replay(path, transcript.parse(parsed), "test_y", tmp_path)
    bench.vm("one")
    assert bench.listed() == ["one"]
    assert bench.condensed() == (Call(("list",), "Total running VMs: 2\n{one}\nanother.vmx\n"),)


def test_every_open_question_has_a_test_that_answers_it() -> None:
    asked = {question for behaviour in all_behaviours() for question in behaviour.settles}
    assert asked == set(QUESTIONS)


def wrong(entry: Entry) -> dict[str, list[Entry]]:
    """Return wrong variants of an answer, by kind.

    Of each kind, one of the entries has to make the test red.
    """
    if isinstance(entry, Look):
        return {"look": [replace(entry, seen=_other(entry.seen))]}
    if entry.code is None:
        return {}
    error = "Error: " in entry.out
    codes = [7] if error else [-1] if entry.code == 0 else [0, 7]
    return {
        "text": [replace(entry, out="something else\n", err="")],
        "status": [replace(entry, code=code) for code in codes],
    }


def _other(seen: Any) -> Any:
    return not seen if isinstance(seen, bool) else "something else"


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_wrong_answer_makes_its_test_red(path: Path, tmp_path: Path) -> None:
    parsed = transcript.parse(path.read_text(encoding="utf-8"))
    green = []
    for name, entries in parsed.sections.items():
        assert _passes(path, parsed, name, tmp_path), f"{name} is red before anything is wrong"
        for index, entry in enumerate(entries):
            asked_again = [entry.words] == [later.words for later in entries[index + 1 : index + 2]]
            for kind, others in ({} if asked_again else wrong(entry)).items():
                changed = [(*entries[:index], other, *entries[index + 1 :]) for other in others]
                if all(_passes(path, replace(parsed, sections={name: one}), name, tmp_path) for one in changed):
                    green.append((name, f"{kind} of {' '.join(entry.words)}"))
    assert "\n".join(f"{name}: {what}" for name, what in green if not _indifferent(name, what)) == ""


def _indifferent(name: str, what: str) -> bool:
    return any(name.startswith(begin) and what.startswith(whats) for begin, whats in INDIFFERENT.items())


def _passes(path: Path, parsed: Transcript, name: str, directory: Path) -> bool:
    bench = Replay(path, parsed, name, directory)
    script = scripts()[name]
    try:
        script(bench, **({"guest": replayed(bench)} if "guest" in inspect.signature(script).parameters else {}))
    except Skipped:
        return True
    except (Exception, pytest.fail.Exception):  # noqa: BLE001  (whatever a test says to a wrong answer, it is red)
        return False
    return True
