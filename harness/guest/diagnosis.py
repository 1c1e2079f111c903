"""Find the known cause of a guest's failure in its logs. Pure.

The known patterns are the rows of `patterns.toml`; its head describes a row.
"""

from __future__ import annotations

import functools
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources

_LINE_LIMIT = 300  # characters of an evidence line that are shown


class Source(StrEnum):
    """Where a text comes from, by its name in the table."""

    CONSOLE = "console"
    INSTALLER = "installer"
    CLOUD_INIT = "cloud-init"
    PACKAGES = "packages"
    JOURNAL = "journal"
    HYPERVISOR = "hypervisor"

    @property
    def shown(self) -> str:
        """Name of the source in the report."""
        return _SHOWN[self]


_SHOWN = {
    Source.CONSOLE: "the console",
    Source.INSTALLER: "the installer's log",
    Source.CLOUD_INIT: "cloud-init's log",
    Source.PACKAGES: "the package log",
    Source.JOURNAL: "the journal",
    Source.HYPERVISOR: "the hypervisor's log",
}


@dataclass(frozen=True)
class Pattern:
    """One row of the table.

    Attributes:
        regex: The text to search for.
        sources: The sources that are searched.
        cause: The cause in one line, with `{name}` for the groups of the regex.
        remedy: What the reader can do.
        fatal: Whether further waiting is pointless.
        host: Whether the host is at fault, not the guest.
        topic: What other rows are reasons of; empty where the text is its own reason.
        reason_of: The topics that this row is a reason of.
        alone: Whether the row counts without such a topic.
    """

    regex: re.Pattern[str]
    sources: frozenset[Source]
    cause: str
    remedy: str
    fatal: bool
    host: bool
    topic: str
    reason_of: frozenset[str]
    alone: bool


@dataclass(frozen=True)
class Diagnosis:
    """A known cause that was found in a text.

    Attributes:
        cause: The cause in one line.
        remedy: What the reader can do.
        line: The line that shows it.
        source: Where that line stands.
        fatal: Whether further waiting is pointless.
        host: Whether the host is at fault, not the guest.
    """

    cause: str
    remedy: str
    line: str
    source: Source
    fatal: bool
    host: bool = False


@functools.cache
def known_patterns(platform: str = sys.platform) -> tuple[Pattern, ...]:
    """Return the patterns in the order of the table.

    Their remedies are those of the host's operating system.
    """
    system = {"win32": "windows"}.get(platform, platform)
    text = resources.files(__package__).joinpath("patterns.toml").read_text(encoding="utf-8")
    return tuple(
        Pattern(
            regex=re.compile(row["pattern"], re.IGNORECASE | re.MULTILINE),
            sources=frozenset(Source(name) for name in row["look_in"]),
            cause=row["cause"],
            remedy=row.get(f"remedy_{system}") or row["remedy"],
            fatal=row.get("fatal", False),
            host=row.get("host", False),
            topic=row.get("topic", ""),
            reason_of=frozenset(row.get("reason_of", ())),
            alone=row.get("alone", True),
        )
        for row in tomllib.loads(text)["row"]
    )


def diagnose(text: str, source: Source = Source.CONSOLE) -> Diagnosis | None:
    """Return the most severe known cause in a text, or None."""
    return next(iter(diagnose_each({source: text})), None)


def diagnose_each(texts: Mapping[Source, str]) -> list[Diagnosis]:
    """Return the most severe known cause of each text, in descending order."""
    found: dict[Source, Diagnosis] = {}
    for pattern in known_patterns():
        for source, text in texts.items():
            if pattern.alone and source in pattern.sources and source not in found:
                match = _match(pattern, source, text)
                if match is not None:
                    found[source] = _with_reason(match, pattern.topic, text)
    return list(found.values())


def _with_reason(found: Diagnosis, topic: str, text: str) -> Diagnosis:
    """Return what was found with the first reason that the same text has."""
    for pattern in known_patterns():
        if topic in pattern.reason_of and found.source in pattern.sources:
            reason = _match(pattern, found.source, text)
            if reason is not None:
                return replace(found, cause=f"{found.cause}: {reason.cause}", remedy=reason.remedy, line=reason.line)
    return found


def _match(pattern: Pattern, source: Source, text: str) -> Diagnosis | None:
    match = pattern.regex.search(text)
    if match is None:
        return None
    begin = text.rfind("\n", 0, match.end()) + 1
    end = text.find("\n", match.end())
    line = text[begin : end if end >= 0 else len(text)].strip()[:_LINE_LIMIT]
    groups = {name: (value or "").strip() for name, value in match.groupdict().items()}
    remedy = pattern.remedy
    for name, value in groups.items():
        remedy = remedy.replace(f"{{{name}}}", value)
    return Diagnosis(_filled(pattern.cause, groups), remedy, line, source, pattern.fatal, pattern.host)


def _filled(cause: str, groups: Mapping[str, str]) -> str:
    """Return the text with the matched groups.

    An empty group leaves no punctuation behind.
    """
    filled = cause.format_map(groups).replace(" ()", "").strip().removesuffix(":").strip()
    return filled.replace(": : ", ": ")
