"""The timeline as rectangles."""

from __future__ import annotations

from harness.core.verdict import Status
from harness.report import timeline
from harness.results.model import RunResult, Span, SpanKind


def phase(machine: str | None, started_s: float, ended_s: float, *, finished: bool = True) -> Span:
    status = Status.PASS if finished else None
    return Span(machine, "boot", SpanKind.PHASE, started_s, ended_s, status, finished)


def draw(*spans: Span, duration_s: float = 100.0) -> timeline.Timeline:
    return timeline.draw(RunResult(spans=spans, duration_s=duration_s))


def test_without_spans_there_is_no_lane() -> None:
    assert draw().lanes == ()


def test_lanes_are_the_lab_and_its_machines_one_below_the_other() -> None:
    lanes = draw(phase("k3s-master1", 0, 9), phase(None, 0, 5)).lanes
    assert [lane.name for lane in lanes] == ["lab", "k3s-master1"]
    assert lanes[0].y + lanes[0].height <= lanes[1].y


def test_a_bar_lies_at_its_time_and_inside_the_drawing() -> None:
    first, second = draw(phase("m", 0, 50), phase("m", 50, 100)).lanes[0].bars
    assert abs(first.x + first.width - second.x) < 0.2
    assert first.width == second.width
    assert second.x + second.width <= timeline.WIDTH


def test_a_span_longer_than_the_run_sets_the_scale() -> None:
    (bar,) = draw(phase("m", 0, 400), duration_s=100.0).lanes[0].bars
    assert bar.x + bar.width <= timeline.WIDTH


def test_an_unfinished_phase_says_so_in_its_title() -> None:
    (bar,) = draw(phase("m", 10, 60, finished=False)).lanes[0].bars
    assert bar.title == "m: boot: cut off\n50 s, from 10 s to 1 min 00 s"
