"""The table of known patterns, `patterns.toml`, read: its head says what a row is."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources


class Source(StrEnum):
    """Where a text comes from, by its name in the table."""

    CONSOLE = "console"
    CLOUD_INIT = "cloud-init"
    PACKAGES = "packages"
    JOURNAL = "journal"
    HYPERVISOR = "hypervisor"

    @property
    def shown(self) -> str:
        """What a reader is told."""
        return _SHOWN[self]


_SHOWN = {
    Source.CONSOLE: "the console",
    Source.CLOUD_INIT: "cloud-init's log",
    Source.PACKAGES: "the package log",
    Source.JOURNAL: "the journal",
    Source.HYPERVISOR: "the hypervisor's log",
}


@dataclass(frozen=True)
class Row:
    """One known pattern.

    Attributes:
        pattern: What is looked for.
        sources: Where.
        cause: What is the matter, in one line, with `{name}` for the pattern's groups.
        remedy: What the reader can do.
        fatal: Whether waiting any longer is pointless.
    """

    pattern: re.Pattern[str]
    sources: frozenset[Source]
    cause: str
    remedy: str
    fatal: bool


@functools.cache
def rows() -> tuple[Row, ...]:
    """Return the rows in their order."""
    text = resources.files(__package__).joinpath("patterns.toml").read_text(encoding="utf-8")
    return tuple(
        Row(
            pattern=re.compile(row["pattern"], re.IGNORECASE | re.MULTILINE),
            sources=frozenset(Source(name) for name in row["look_in"]),
            cause=row["cause"],
            remedy=row["remedy"],
            fatal=row.get("fatal", False),
        )
        for row in tomllib.loads(text)["row"]
    )
