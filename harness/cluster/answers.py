"""Read the JSON that `kubectl` prints; anything else is no answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.json_text import parse_json

Item = Mapping[str, Any]

_SHOWN = 300  # characters of an answer that is none


class NoAnswerError(Exception):
    """The API was not heard; the text says why."""


def items_of(stdout: str, stderr: str, *, exit_status: int = 0) -> tuple[Item, ...]:
    """Return the objects of a list, as `kubectl get -o json` prints it.

    Raises:
        NoAnswerError: It is no whole list. `kubectl` prints an error then, or was ended.
    """
    if exit_status:
        raise NoAnswerError(_said(stderr) or _said(stdout) or f"kubectl ended with exit status {exit_status}")
    try:
        answer = parse_json(stdout)
    except ValueError as error:
        begun = stdout.lstrip().startswith("{")
        what = f"the answer is cut off after {len(stdout)} characters" if begun else _said(stdout) or "no output"
        raise NoAnswerError(": ".join(filter(None, [what, _said(stderr)]))) from error
    found = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise NoAnswerError(f"the answer is no list of objects: {_said(stdout)}")
    return tuple(found)


def of_kind(items: tuple[Item, ...], kind: str) -> tuple[Item, ...]:
    """Return the objects of that kind: a mixed list has several."""
    return tuple(item for item in items if item.get("kind") == kind)


def text(item: Item, *path: str) -> str:
    """Return the text at that place; empty where there is none."""
    value = _at(item, path)
    return value if isinstance(value, str) else ""


def number(item: Item, *path: str) -> int:
    """Return the number at that place; 0 where there is none."""
    value = _at(item, path)
    return value if isinstance(value, int) else 0


def rows(item: Item, *path: str) -> tuple[Item, ...]:
    """Return the objects of the list at that place."""
    value = _at(item, path)
    return tuple(row for row in value if isinstance(row, dict)) if isinstance(value, list) else ()


def mapping(item: Item, *path: str) -> Item:
    """Return the object at that place; an empty one where there is none."""
    value = _at(item, path)
    return value if isinstance(value, dict) else {}


def conditions(item: Item) -> dict[str, Item]:
    """Return the conditions of a node or a pod by their type."""
    return {text(row, "type"): row for row in rows(item, "status", "conditions")}


def _at(item: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        item = item.get(key) if isinstance(item, dict) else None
    return item


def _said(output: str) -> str:
    """Return the last line of an output, without the rest of a usage text."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:_SHOWN] if lines else ""
