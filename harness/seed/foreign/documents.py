"""Read YAML documents with the line of each value.

The only module of this package that knows `yaml`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

# Ubuntu's largest autoinstall data have some thousand values and some ten thousand characters.
_MOST_VALUES = 100_000
_LONGEST = 1 << 20
_TABS = re.compile(r"^ *\t", re.MULTILINE)


class BrokenDocument(ValueError):
    """A text that is no YAML; `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


@dataclass(frozen=True)
class Document:
    """A YAML document.

    Attributes:
        path: Of its file on the ISO.
        data: Its value as YAML 1.1 reads it, which is what cloud-init, subiquity and netplan do.
        root: Its nodes; None where it is empty.
        offset: Lines of the file before it.
    """

    path: str
    data: Any
    root: yaml.Node | None
    offset: int = 0

    def where(self, *keys: str | int) -> str:
        """Return the place of the deepest key that exists, as `/nocloud/user-data:7`."""
        return f"/{self.path}:{self.line(*keys)}"

    def line(self, *keys: str | int) -> int:
        """Return the line of the deepest key that exists."""
        node, line = self.root, 1
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                hit = next(((k, v) for k, v in node.value if str(k.value) == str(key)), None)
                if hit is None:
                    break
                line, node = hit[0].start_mark.line + 1, hit[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.start_mark.line + 1
            else:
                break
        return line + self.offset

    def get(self, *keys: str) -> Any:
        """Return the value below these keys; None where there is none."""
        value = self.data
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def below(self, *keys: str) -> dict[str, Any]:
        """Return the mapping below these keys; empty where there is none."""
        value = self.get(*keys)
        return value if isinstance(value, dict) else {}

    def doubled(self) -> Iterator[tuple[int, str]]:
        """Yield line and name of keys that a later one replaces."""
        waiting, seen = [self.root], set[int]()
        while waiting:
            node = waiting.pop()
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.MappingNode):
                names = [str(key.value) for key, _ in node.value]
                last = {name: number for number, name in enumerate(names)}
                for number, (key, value) in enumerate(node.value):
                    if number != last[names[number]] and names[number] != "<<":
                        yield key.start_mark.line + 1 + self.offset, names[number]
                    waiting.append(value)


def read_document(path: str, text: str, offset: int = 0) -> Document:
    """Return the document of a text.

    Raises:
        BrokenDocument: It is no YAML, or far larger than any document of an installer.
    """
    if len(text) > _LONGEST:
        raise BrokenDocument(1 + offset, f"more than {_LONGEST} characters")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _check_values(root, 1 + offset)
        return Document(path, yaml.safe_load(text), root, offset)
    except BrokenDocument:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BrokenDocument((mark.line if mark else 0) + 1 + offset, _problem(error, text)) from error
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise BrokenDocument(1 + offset, f"{type(error).__name__}: {str(error).splitlines()[0][:120]}") from error


def _check_values(root: yaml.Node | None, line: int) -> None:
    """Raise BrokenDocument if the values are too many.

    An alias counts as what it repeats.
    """
    left, count = [root] if root else [], 0
    while left and count <= _MOST_VALUES:
        node = left.pop()
        count += 1
        if isinstance(node, yaml.MappingNode):
            left += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value
    if count > _MOST_VALUES:
        raise BrokenDocument(line, f"more than {_MOST_VALUES} values, counting each `*alias` as what it repeats")


def _problem(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = " ".join(filter(None, (error.context, error.problem)))
    mark = error.problem_mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    return f"{problem} (tabs do not indent YAML)" if line and _TABS.match(line[0]) else problem


def mappings(value: object) -> Sequence[dict[str, Any]]:
    """Return the mappings of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mapping(value: object) -> dict[str, Any]:
    """Return a mapping; empty where it is none."""
    return value if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """Return the texts of a list, or of one text."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
