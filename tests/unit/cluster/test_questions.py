"""Questions to nodes and pods, sent as a program."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from needs import posix_paths

from harness.cluster.questions import Question, ask_command, parse_replies

QUESTION = Question("page", "pod on w", "run-1 w", address="127.0.0.1", port=1, timeout_s=0)


@posix_paths
def test_the_program_answers_every_question_in_json() -> None:
    command = ask_command([QUESTION, QUESTION]).replace("python3", sys.executable, 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    first, second = parse_replies("m", done.stdout, [QUESTION, QUESTION])
    assert (first.source, first.target, first.answered) == ("m", "pod on w", False)
    assert "Refused" in second.seen


@pytest.mark.parametrize("text", ["", "no process of the pod", "[]", "{}", "[3, 4]", '[{"answered": true}]'])
def test_anything_else_is_no_answer(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_replies("m", text, [QUESTION])


def test_answers_are_of_their_questions() -> None:
    (reply,) = parse_replies("m", json.dumps([{"answered": True, "detail": "run-1 w"}]), [QUESTION])
    assert reply.right
