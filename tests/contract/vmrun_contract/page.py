"""Generator of `docs/vmrun.md`.

It is written from the tests' markers, the verbs, the open questions and the transcripts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path

from vmrun_contract import transcript
from vmrun_contract.behaviour import SOURCES, SUITE, Behaviour, all_behaviours
from vmrun_contract.bench import DISK_TOOL
from vmrun_contract.questions import QUESTIONS
from vmrun_contract.verbs import VERBS

ROOT = SUITE.parents[1]
PAGE = ROOT / "docs" / "vmrun.md"
TEXT = Path(__file__).with_name("page.md")


def page() -> str:
    """Return the page."""
    behaviours = list(all_behaviours())
    parts = {
        "sources": ", ".join(f"**{letter}** {text}" for letter, text in SOURCES.items()),
        "verbs": _verbs(behaviours),
        "behaviours": _behaviours(behaviours),
        "questions": _questions(),
    }
    text = TEXT.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part)
    return text


def _verbs(behaviours: Sequence[Behaviour]) -> str:
    ours, driver = _work_alike(), _driver()
    rows = []
    for name, verb in VERBS.items():
        tests = [item for item in behaviours if name.lower() in {word.lower() for word in item.verbs}]
        here = (verb.here or "the same") if name.lower() in ours else "no"
        has = "yes" if name.lower() in driver else "no"
        rows.append((f"`{name}`", verb.parameters, verb.answer, verb.confidence, here, has, str(len(tests) or "")))
    return _table(("verb", "after the VMX", "VMware", "", "`vmrun-qemu`", "driver", "tests"), rows)


def _behaviours(behaviours: Sequence[Behaviour]) -> str:
    recorded = {
        path.stem: set(transcript.parse(path.read_text(encoding="utf-8")).sections)
        for path in sorted((SUITE / "transcripts").glob("*.txt"))
    }
    rows = []
    for item in behaviours:
        by = [name for name, sections in recorded.items() if item.test in sections]
        verbs = " ".join(f"`{verb}`" for verb in item.verbs[:4]) + (" …" if len(item.verbs) > 4 else "")
        rows.append((verbs or "(grammar)", item.line, item.confidence, ", ".join(by)))
    return _table(("verbs", "what `vmrun` does", "", "transcripts with it"), rows)


def _questions() -> str:
    rows = [
        (f"`{name}`", question.text, "; ".join(f"*{key}*: {text}" for key, text in question.readings.items()))
        for name, question in QUESTIONS.items()
    ]
    return _table(("", "question", "readings that the driver takes"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    lines = [" | ".join(head), "|".join("---" for _ in head), *(" | ".join(row) for row in escaped)]
    return "\n".join(f"| {line} |" for line in lines)


def _work_alike() -> set[str]:
    """Return the verbs of `vmrun-qemu`, in lower case."""
    from harness.vmrun_qemu.verbs import VERBS as OURS  # noqa: PLC0415  (a program of its own, asked for its verbs)

    return {name.lower() for name in OURS}


def _driver() -> set[str]:
    """Return possible verbs in the driver's source, in lower case."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "harness" / "vmrun").glob("*.py")))
    return {
        node.value.lower()
        for tree in trees
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for node in call.args[:2]
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def unknown_verbs() -> set[str]:
    """Return verbs of tests that the table of verbs lacks."""
    known = {name.lower() for name in VERBS} | {DISK_TOOL}
    return {verb for item in all_behaviours() for verb in item.verbs if verb.lower() not in known}
