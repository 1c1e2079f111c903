"""Compare autoinstall data with the published schema of subiquity."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from harness.core.finding import Finding, remark
from harness.seed.foreign.data_rules import SeedData
from harness.seed.foreign.documents import Document

_WORDS = {
    "text": "a text",
    "integer": "a number",
    "boolean": "true or false",
    "mapping": "a mapping",
    "list": "a list",
    "null": "null",
}


@dataclass(frozen=True)
class _Rules:
    types: Mapping[str, str]
    required: Mapping[str, Sequence[str]]
    closed: frozenset[str]

    def known(self, place: str) -> list[str]:
        """Return the keys of a mapping that the schema names."""
        prefix = f"{place}." if place else ""
        found = {name.removeprefix(prefix) for name in self.types if name.startswith(prefix)}
        return sorted(name for name in found if "." not in name and not name.endswith("[]"))


@functools.cache
def _rules() -> _Rules:
    data = tomllib.loads(files("harness.seed.foreign").joinpath("autoinstall.toml").read_text(encoding="utf-8"))
    return _Rules(data["types"], data["required"], frozenset(data["closed"]["mappings"]))


def schema_findings(data: SeedData) -> Iterator[Finding]:
    """Yield where the data break the schema, and keys that nothing reads."""
    if data.document is not None:
        yield from _Check(data.document, data.keys).mapping("", data.keys, data.document.below(*data.keys))


@dataclass(frozen=True)
class _Check:
    document: Document
    keys: tuple[str, ...]

    def mapping(self, place: str, keys: tuple[str | int, ...], value: Mapping[Any, Any]) -> Iterator[Finding]:
        """Yield what is wrong with a mapping and all below it."""
        rules, known = _rules(), _rules().known(place)
        for name in rules.required.get(place or ".", ()):
            if name not in value:
                near = difflib.get_close_matches(name, [str(key) for key in value if key not in known], n=1)
                head = f"`{place}` lacks" if place else "there is no"
                text = f"{head} `{name}`{f', but `{near[0]}`' if near else ''}: the installer refuses the data"
                remedy = f"rename it to `{name}`" if near else f"add `{name}`"
                yield Finding(text, remedy, self.document.where(*keys, *near))
        for key, item in value.items():
            name = str(key)
            if name in known:
                yield from self._value(f"{place}.{name}" if place else name, (*keys, name), item)
            else:
                yield from self._unknown(place, (*keys, name), name, value)

    def _unknown(
        self, place: str, keys: tuple[str | int, ...], name: str, value: Mapping[Any, Any]
    ) -> Iterator[Finding]:
        missing = [key for key in _rules().known(place) if key not in value]
        near = difflib.get_close_matches(name.replace("_", "-"), missing, n=1, cutoff=0.75)
        required = _rules().required.get(place or ".", ())
        if near and near[0] in required:
            return  # reported as missing
        if near:
            text = f"`{name}` is no key of the installer, which reads `{near[0]}`: it is lost"
            yield Finding(text, f"rename it to `{near[0]}`", self.document.where(*keys))
        elif place in _rules().closed:
            yield Finding(f"`{place}` takes no key `{name}`", "remove it", self.document.where(*keys))
        elif not place:
            yield remark(f"`{name}` is no key of the installer", "remove it", self.document.where(*keys))

    def _value(self, place: str, keys: tuple[str | int, ...], value: Any) -> Iterator[Finding]:
        allowed = _rules().types[place].split("|")
        if not any(_is(kind, value) for kind in allowed):
            words = " or ".join(_WORDS.get(kind, f"`{kind[1:]}`") for kind in allowed)
            text = f"`{place}` is {_shown(value)}, not {words}: the installer refuses the data"
            yield Finding(text, f"write {words}", self.document.where(*keys))
        elif isinstance(value, dict) and _rules().known(place):
            yield from self.mapping(place, keys, value)
        elif isinstance(value, list) and f"{place}[]" in _rules().types:
            for number, item in enumerate(value):
                yield from self._value(f"{place}[]", (*keys, number), item)


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "mapping":
            return isinstance(value, dict)
        case "list":
            return isinstance(value, list)
        case "null":
            return value is None
    same = value == int(kind[1:]) if kind[1:].isdigit() else value == kind[1:]
    return same and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "empty" if value is None else f"{str(value)[:40]!r}"
