"""The measurable part of how docstrings are written: short first lines that start with a verb or a noun."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator

from source_tree import modules

LONGEST_FIRST_LINE = 14  # words; twelve is the aim
MOST_AT_MEDIAN = 10  # nine is the aim
MOST_AT_P90 = 12


def first_lines() -> Iterator[tuple[str, str]]:
    """Yield the place and the first line of every docstring of the package."""
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    name = "" if isinstance(node, ast.Module) else f".{node.name}"
                    yield f"{module.name}{name}", text.split("\n")[0]


def test_first_lines_are_short() -> None:
    long = {place: line for place, line in first_lines() if len(line.split()) > LONGEST_FIRST_LINE}
    assert long == {}


def test_first_lines_are_short_on_the_whole() -> None:
    lengths = sorted(len(line.split()) for _, line in first_lines())
    assert statistics.median(lengths) <= MOST_AT_MEDIAN
    assert lengths[len(lengths) * 9 // 10] <= MOST_AT_P90


def test_no_docstring_begins_with_have() -> None:
    assert {place: line for place, line in first_lines() if line.startswith("Have ")} == {}
