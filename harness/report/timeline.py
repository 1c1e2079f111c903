"""The timeline: rectangles on one axis, one lane per machine. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.clipping import clip
from harness.report.symbols import CUT_OFF, STATUS, duration
from harness.results.model import RunResult, Span, SpanKind

WIDTH = 1000.0
_LEFT = 118.0
_TOP = 24.0
_PHASE_HEIGHT = 22.0
_GUEST_HEIGHT = 16.0
_GAP = 10.0
_LETTER = 5.6  # width of a letter of the bars' 10 px text, on the wide side
_STEPS = (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)


@dataclass(frozen=True)
class Bar:
    """One rectangle; `title` is complete where `label` does not fit."""

    x: float
    y: float
    width: float
    height: float
    css: str
    label: str
    title: str


@dataclass(frozen=True)
class Lane:
    """One machine, or the lab."""

    name: str
    y: float
    height: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    """A line across the lanes."""

    x: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """The whole drawing, `WIDTH` units wide."""

    height: float
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]


def draw(run: RunResult) -> Timeline:
    """Return the drawing of the spans of a run."""
    total = max([run.duration_s, *(span.ended_s for span in run.spans)], default=0.0) or 1.0
    lanes: list[Lane] = []
    y = _TOP
    for name in (None, *run.machine_names):
        spans = [span for span in run.spans if span.machine == name]
        if not spans:
            continue
        lane = _lane(name, spans, y, total)
        lanes.append(lane)
        y += lane.height + _GAP
    return Timeline(y, _ticks(total), tuple(lanes))


def _lane(name: str | None, spans: list[Span], y: float, total: float) -> Lane:
    guest = [span for span in spans if span.kind is SpanKind.GUEST]
    phases = [span for span in spans if span.kind is SpanKind.PHASE]
    bars = [_bar(span, _phase_css(span), y, _PHASE_HEIGHT, total) for span in phases]
    bars += [
        _bar(span, f"guest-{index % 2}", y + _PHASE_HEIGHT + 2, _GUEST_HEIGHT, total)
        for index, span in enumerate(guest)
    ]
    height = _PHASE_HEIGHT + (_GUEST_HEIGHT + 2 if guest else 0)
    return Lane(clip(name, 60) if name else "lab", y, height, tuple(bars))


def _bar(span: Span, css: str, y: float, height: float, total: float) -> Bar:
    x = _x(span.started_s, total)
    width = max(1.5, _x(span.ended_s, total) - x)
    sign = "" if span.kind is SpanKind.GUEST else _mark_sign(span)
    text = f"{sign} {clip(span.name, 60)}".strip()
    label = text if len(text) * _LETTER + 6 < width else (sign if width > 14 else "")
    took = f"{duration(span.ended_s - span.started_s)}, from {duration(span.started_s)} to {duration(span.ended_s)}"
    state = ("" if span.status is None else f": {span.status.value}") if span.finished else ": cut off"
    detail = f"\n{clip(span.detail, 300)}" if span.detail else ""
    title = f"{clip(span.machine or 'lab', 60)}: {clip(span.name, 60)}{state}\n{took}{detail}"
    return Bar(round(x, 1), round(y, 1), round(width, 1), height, css, label, title)


def _phase_css(span: Span) -> str:
    if not span.finished:
        return CUT_OFF.css
    return STATUS[span.status].css if span.status else "guest-0"


def _mark_sign(span: Span) -> str:
    if not span.finished:
        return CUT_OFF.sign
    return STATUS[span.status].sign if span.status else ""


def _x(seconds: float, total: float) -> float:
    return _LEFT + (WIDTH - _LEFT - 12) * max(0.0, min(seconds, total)) / total


def _ticks(total: float) -> tuple[Tick, ...]:
    step = next((step for step in _STEPS if total / step <= 9), total / 8)
    return tuple(
        Tick(round(_x(index * step, total), 1), _tick_label(index * step)) for index in range(int(total / step) + 1)
    )


def _tick_label(seconds: float) -> str:
    if seconds == 0:
        return "0"
    if seconds < 1:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
