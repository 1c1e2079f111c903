"""Guest events as bars of the timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.results.model import Span, SpanKind

# A guest that boots for ever sends events for ever; a page needs no more than this of one machine.
MOST = 300


@dataclass(frozen=True)
class GuestMark:
    """A guest event, `t` seconds of host time after the start."""

    machine: str
    t: float
    event: str
    boot_id: str
    fields: Mapping[str, str]

    @property
    def name(self) -> str:
        """The event, with the stage where it has one."""
        stage = self.fields.get("stage", "")
        return f"{self.event} {stage}".strip()

    @property
    def detail(self) -> str:
        """Everything that the guest reported with it."""
        words = [f"{key}={value}" for key, value in self.fields.items() if key != "stage"]
        return " ".join([*words, f"boot {self.boot_id[:8]}"])


def guest_spans(marks: Iterable[GuestMark], power_ons: Mapping[str, Iterable[float]]) -> tuple[Span, ...]:
    """Return one bar for each event: the time that led to it.

    It begins with the event before it in the same boot. The first of a boot begins with the last event of the boot
    before, or with a power-on after that.

    Args:
        marks: In the order of time.
        power_ons: For each machine, when it was switched on, in seconds.
    """
    spans: list[Span] = []
    last: dict[str, GuestMark] = {}
    count: dict[str, int] = {}
    for mark in marks:
        before = last.get(mark.machine)
        last[mark.machine] = mark
        count[mark.machine] = count.get(mark.machine, 0) + 1
        if count[mark.machine] > MOST:
            continue
        begin = before.t if before else 0.0
        if before is None or before.boot_id != mark.boot_id:
            begin = max([begin, *(t for t in power_ons.get(mark.machine, ()) if t <= mark.t)])
        spans.append(Span(mark.machine, mark.name, SpanKind.GUEST, min(begin, mark.t), mark.t, detail=mark.detail))
    return tuple(spans)
