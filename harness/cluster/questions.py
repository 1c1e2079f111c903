"""Questions to a node or a pod, and their answers.

Pure, but for reading `pod_probe`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources

from harness.cluster.replies import Reply
from harness.core.json_text import parse_json

# A service that was created a moment ago needs up to a minute to be everywhere.
ANSWER_S = 60


@dataclass(frozen=True)
class Question:
    """One question of a node or a pod.

    Attributes:
        kind: The function of `pod_probe`.
        target: How the report names it.
        expected: The right answer.
        prefix: Whether text may follow it.
        name: The service whose address is asked, as `name.namespace`.
    """

    kind: str
    target: str
    expected: str = ""
    prefix: bool = False
    address: str = ""
    port: int = 0
    name: str = ""
    timeout_s: int = ANSWER_S


def ask_command(questions: Sequence[Question]) -> str:
    """Return the shell command that asks everything and prints JSON."""
    program = resources.files("harness.cluster").joinpath("pod_probe.py").read_text(encoding="utf-8")
    arguments = json.dumps([asdict(question) for question in questions])
    call = f"import json\nprint(json.dumps(ask_all(json.loads({arguments!r}))))"
    return f"python3 -c {shlex.quote(program.replace(chr(13), '') + call)}"


def parse_replies(source: str, stdout: str, questions: Sequence[Question]) -> tuple[Reply, ...]:
    """Parse the output of `ask_command`.

    Raises:
        ValueError: There is not one answer to each question.
    """
    try:
        answers = [(bool(item["answered"]), str(item["detail"])) for item in parse_json(stdout)]
    except (KeyError, TypeError) as error:
        raise ValueError(f"no list of answers: {stdout[:200]}") from error
    if len(answers) != len(questions):
        raise ValueError(f"{len(answers)} answers to {len(questions)} questions")
    return tuple(
        Reply(source, one.target, one.expected, detail, answered, one.prefix)
        for one, (answered, detail) in zip(questions, answers, strict=True)
    )
