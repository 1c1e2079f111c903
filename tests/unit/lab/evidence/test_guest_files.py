"""The questions to a guest run as shell commands, and their answers have places of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from needs import posix_sh

from harness.guest.diagnosis import Source
from harness.lab.evidence.guest_files import LIMIT_BYTES, QUESTIONS, Question, _ask, _file


def answer(question: Question) -> str:
    """Return what the shell of this host prints for a question."""
    done = subprocess.run(["sh", "-c", question.shell], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout


def test_every_answer_has_a_file_of_its_own() -> None:
    names = [question.name for question in QUESTIONS]
    assert len(set(names)) == len(names)
    assert all(Path(name).name == name for name in names)


def test_a_healthy_guest_is_asked_for_small_files_only() -> None:
    cheap = [question for question in QUESTIONS if question.cheap]
    assert {question.name for question in cheap} >= {"cloud-init.log", "cloud-init-result.json"}
    assert all(question.path and not question.slow for question in cheap)
    assert len(cheap) < len(QUESTIONS)


def test_the_logs_that_are_searched_for_causes() -> None:
    assert {question.source for question in QUESTIONS} == {
        None,
        Source.CLOUD_INIT,
        Source.INSTALLER,
        Source.PACKAGES,
        Source.JOURNAL,
    }


def test_a_slow_program_gets_more_time() -> None:
    assert _ask("x", "true", slow=True).limit_s > _ask("x", "true").limit_s


@posix_sh
def test_of_a_file_the_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a log"
    path.write_bytes(b"start" + b"x" * LIMIT_BYTES)
    question = _file(path.as_posix(), "log")
    assert question.path == path.as_posix()
    assert answer(question) == "x" * LIMIT_BYTES


@posix_sh
def test_a_failing_command_ends_no_other_and_each_has_its_heading() -> None:
    shown = answer(_ask("x", "echo it\\'s one", "no-such-program", "echo three"))
    assert [line for line in shown.splitlines() if line.startswith("$ ")] == [
        "$ echo it\\'s one",
        "$ no-such-program",
        "$ echo three",
    ]
    assert "\nit's one\n" in shown
    assert "not found" in shown
    assert shown.endswith("\nthree\n\n")


@posix_sh
def test_a_guest_without_k3s_leaves_no_file_about_it() -> None:
    about = [question for question in QUESTIONS if "k3s" in question.shell]
    assert {question.name for question in about} >= {"k3s-journal.log", "k3s-objects.txt", "containerd.log"}
    assert {answer(question) for question in about} == {""}
    assert not any(question.cheap for question in about)
