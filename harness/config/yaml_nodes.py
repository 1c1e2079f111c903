"""YAML as a tree of nodes with line and column.

The only reader of lab files with `yaml`.

Only `null`, `true`, `false`, decimal integers and decimal floats are anything but text: YAML 1.1 would read the MAC
address `52:54:00:12:34:56` as the integer 41135085296, `0644` as 420 and `no` as False, and silently keep the last of
two equal keys.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from harness.core.errors import ConfigError

Node = yaml.Node
MappingNode = yaml.MappingNode


@dataclass(frozen=True)
class Problem:
    """A problem in a file; line and column count from 1."""

    line: int
    column: int
    text: str


# A lab file of 250 machines with each key has 3,000 values, on 5 levels.
_MOST_VALUES = 20_000
_DEEPEST = 32
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NO_SUCH_LAB = "a lab file has no use for this: start from the shipped one"


class _TooDeepError(yaml.MarkedYAMLError):
    """A value is nested too deep; `problem_mark` says where."""


class _Loader(yaml.SafeLoader):
    """A loader whose resolvers know only the unambiguous scalars.

    It refuses deep nesting while it composes: yaml calls itself for each level.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  (as in yaml)
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node of the document."""
        if not self.check_event(yaml.CollectionStartEvent):
            return super().compose_node(parent, index)
        if self._depth == _DEEPEST:
            event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it so
            raise _TooDeepError(problem_mark=event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))


def compose(text: str, name: str) -> yaml.MappingNode:
    """Return the document's root mapping.

    Raises:
        ConfigError: It is not YAML, is not one mapping, has a key twice or one that is no word, or refers to itself.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        if isinstance(error, _TooDeepError):
            text = f"nested more than {_DEEPEST} levels deep"
            raise ConfigError(text, where=place, remedy=_NO_SUCH_LAB) from None
        remedy = "correct the syntax of the file"
        if "escape" in (error.problem or "") or "escape" in (error.context or ""):
            remedy = r"write Windows paths in single quotes, as in 'F:\VMs\lab'"
        raise ConfigError(f"not YAML: {error.problem or error}", where=place, remedy=remedy) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {error}", where=name, remedy="correct the syntax of the file") from error
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(
            "a lab file is one mapping of keys", where=f"{name}:1:1", remedy="start from the shipped lab file"
        )
    _check_size(root, name)
    twice = _duplicates(root)
    if twice:
        raise ConfigError(
            "\n".join(f"{name}:{p.line}:{p.column}: {p.text}" for p in twice), remedy="write every key once"
        )
    return root


def _check_size(root: yaml.Node, name: str) -> None:
    """Refuse a document whose aliases repeat values without end, or very often.

    Each alias counts as the whole value that it repeats.
    """
    stack: list[tuple[yaml.Node, tuple[int, ...]]] = [(root, ())]
    count = 0
    while stack:
        node, above = stack.pop()
        count += 1
        mark = node.start_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}"
        if id(node) in above:
            raise ConfigError("a value refers to itself", where=where, remedy="remove the `*alias` inside it")
        if count > _MOST_VALUES:
            text = f"more than {_MOST_VALUES} values, counting each `*alias` as what it repeats"
            raise ConfigError(text, where=where, remedy=_NO_SUCH_LAB)
        if isinstance(node, yaml.ScalarNode) and _LONE_SURROGATE.search(node.value):
            raise ConfigError("half a character (a lone surrogate)", where=where, remedy="write the character itself")
        if isinstance(node, yaml.CollectionNode):
            below = (*above, id(node))
            items = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
            stack += [(item, below) for item in items]


def _duplicates(node: yaml.Node) -> list[Problem]:
    found: list[Problem] = []
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                found.append(Problem(line, key.start_mark.column + 1, "a key is one word"))
                continue
            if key.value in first:
                text = f"{key.value}: duplicate key, first on line {first[key.value]}"
                found.append(Problem(line, key.start_mark.column + 1, text))
            first.setdefault(key.value, line)
            found += _duplicates(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            found += _duplicates(item)
    return found


def plain(node: yaml.Node) -> object:
    """Return the value of a node as plain Python data."""
    return _construct(node)


def _construct(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _construct(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item) for item in node.value]
    kind = node.tag.rpartition(":")[2]
    text = str(node.value)
    match kind:
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int" | "float":
            return _number(text)
        case _:
            return text


def _number(text: str) -> int | float | str:
    """Return the number, or the text if it is none (`!!int abc`)."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def control_characters(root: yaml.Node) -> list[Problem]:
    """Return where a text of the file has a control character."""
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.ScalarNode) and _CONTROL.search(node.value):
            text = f"{node.value[:60]!a} has a control character; write it without, in single quotes"
            found.append(Problem(node.start_mark.line + 1, node.start_mark.column + 1, text))
        elif isinstance(node, yaml.MappingNode):
            stack += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value
    return found


def child(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    """Return the value node under `key`, or None."""
    return next((value for name, value in node.value if name.value == key), None)


def merge(base: yaml.MappingNode, over: yaml.MappingNode) -> yaml.MappingNode:
    """Return `base` with the keys of `over` applied, mapping by mapping.

    Every node keeps its own line and column.
    """
    return _merge(base, over, wins=True)


def fill(base: yaml.MappingNode, over: yaml.MappingNode) -> yaml.MappingNode:
    """Return `base` with those keys of `over` that it does not have."""
    return _merge(base, over, wins=False)


def _merge(base: yaml.MappingNode, over: yaml.MappingNode, *, wins: bool) -> yaml.MappingNode:
    merged = list(base.value)
    names = [key.value for key, _ in merged]
    for key, value in over.value:
        if key.value not in names:
            merged.append((key, value))
            continue
        index = names.index(key.value)
        below = merged[index][1]
        both = isinstance(below, yaml.MappingNode) and isinstance(value, yaml.MappingNode)
        if both:
            merged[index] = (key, _merge(below, value, wins=wins))
        elif wins:
            merged[index] = (key, value)
    return yaml.MappingNode(base.tag, merged, base.start_mark, base.end_mark, base.flow_style)


def locate(root: yaml.Node, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
    """Return line and column, from 1, of the deepest node that exists on `path`.

    With `key=True` return those of its key.
    """
    node, mark = root, root.start_mark
    for part in path:
        if isinstance(node, yaml.MappingNode):
            hit = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if hit is None:
                break
            node = hit[1]
            mark = hit[0].start_mark if key else node.start_mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1
