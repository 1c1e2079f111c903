"""Why a guest does not get on: known texts turn evidence into the first line of a failure. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.guest.patterns import Row, Source, rows

__all__ = ["Diagnosis", "Source", "diagnose", "diagnose_each"]

_LINE_LIMIT = 300  # characters of an evidence line that are shown


@dataclass(frozen=True)
class Diagnosis:
    """Why a guest does not get on.

    Attributes:
        cause: What is the matter, in one line.
        remedy: What the reader can do.
        line: The line that says so.
        source: Where that line stands.
        fatal: Whether waiting any longer is pointless.
    """

    cause: str
    remedy: str
    line: str
    source: Source
    fatal: bool


def diagnose(text: str, source: Source = Source.CONSOLE) -> Diagnosis | None:
    """Return the gravest thing that one text shows, or None; `text` is free of terminal escapes."""
    return next(iter(diagnose_each({source: text})), None)


def diagnose_each(texts: Mapping[Source, str]) -> list[Diagnosis]:
    """Return the gravest thing that each text shows, where it shows one; the gravest of all first."""
    found: dict[Source, Diagnosis] = {}
    for row in rows():
        for source, text in texts.items():
            if source in row.sources and source not in found:
                match = _match(row, source, text)
                if match is not None:
                    found[source] = match
    return list(found.values())


def _match(row: Row, source: Source, text: str) -> Diagnosis | None:
    match = row.pattern.search(text)
    if match is None:
        return None
    begin = text.rfind("\n", 0, match.end()) + 1
    end = text.find("\n", match.end())
    line = text[begin : end if end >= 0 else len(text)].strip()[:_LINE_LIMIT]
    found = {name: (value or "").strip() for name, value in match.groupdict().items()}
    return Diagnosis(_filled(row.cause, found), row.remedy, line, source, row.fatal)


def _filled(cause: str, found: Mapping[str, str]) -> str:
    """Return the cause with what the pattern's groups matched; an empty one leaves no punctuation behind."""
    return cause.format_map(found).replace(" ()", "").strip().removesuffix(":").strip()
