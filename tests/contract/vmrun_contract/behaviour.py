"""Markers: which behaviour of `vmrun` a test fixes.

A behaviour has verbs, a line, a confidence, and the questions that it may settle.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vmrun_contract.questions import QUESTIONS

SUITE = Path(__file__).parents[1]
# What stands behind a line of behaviour; several letters are several independent sources.
SOURCES = {
    "T": "captured output or a live measurement",
    "P": "a client's parser, fake or writer relies on it",
    "D": "the vendor's usage text or API documents",
    "I": "inferred",
}


@dataclass(frozen=True)
class Behaviour:
    """One line of behaviour, and the test that fixes it."""

    test: str
    verbs: tuple[str, ...]
    line: str
    confidence: str
    settles: tuple[str, ...] = ()
    needs_guest: bool = False


def behaviour(verbs: str, line: str, confidence: str, *, settles: str = "") -> pytest.MarkDecorator:
    """Mark a test with the behaviour that it fixes.

    Args:
        verbs: The verbs, separated by blanks; empty for the grammar.
        line: What a vmrun does, in one sentence; texts in backquotes.
        confidence: Letters of `SOURCES`.
        settles: The open questions that the test answers, separated by blanks.
    """
    unknown = (set(confidence) - set(SOURCES)) | (set(settles.split()) - set(QUESTIONS))
    assert confidence
    assert not unknown, f"neither a source nor a question: {unknown}"
    return pytest.mark.behaviour(tuple(verbs.split()), line, confidence, tuple(settles.split()))


def of_function(name: str, function: object) -> Behaviour | None:
    """Return the behaviour that a test function is marked with."""
    marks = {mark.name: mark for mark in getattr(function, "pytestmark", [])}
    if "behaviour" not in marks:
        return None
    verbs, line, confidence, settles = marks["behaviour"].args
    return Behaviour(name, verbs, line, confidence, settles, needs_guest="guest" in marks)


def all_behaviours() -> Iterator[Behaviour]:
    """Yield every behaviour of this suite, in the order of its tests."""
    for path in sorted(SUITE.glob("test_contract_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            found = of_function(name, function) if name.startswith("test_") else None
            if found is not None:
                yield found
