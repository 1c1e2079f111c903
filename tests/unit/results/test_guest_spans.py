"""Guest events as bars: each bar is the time that led to its event."""

from __future__ import annotations

from harness.results.guest_spans import MOST, GuestMark, guest_spans
from harness.results.model import SpanKind


def mark(t: float, event: str, boot_id: str = "boot-1", machine: str = "k3s-master1", **fields: str) -> GuestMark:
    return GuestMark(machine, t, event, boot_id, fields)


def bars(marks: list[GuestMark], power_ons: dict[str, list[float]] | None = None) -> list[tuple[str, float, float]]:
    return [(span.name, span.started_s, span.ended_s) for span in guest_spans(marks, power_ons or {})]


def test_a_bar_begins_with_the_event_before_it() -> None:
    found = bars([mark(10, "boot"), mark(14, "cloud-init", stage="init"), mark(20, "ssh-ready")])
    assert found == [("boot", 0.0, 10), ("cloud-init init", 10, 14), ("ssh-ready", 14, 20)]


def test_the_first_bar_of_a_boot_begins_with_the_power_on() -> None:
    marks = [mark(10, "boot"), mark(50, "boot", "boot-2")]
    assert bars(marks, {"k3s-master1": [3.0, 40.0, 90.0]}) == [("boot", 3.0, 10), ("boot", 40.0, 50)]


def test_machines_do_not_share_bars() -> None:
    assert bars([mark(10, "boot"), mark(12, "boot", machine="k3s-worker1")])[1] == ("boot", 0.0, 12)


def test_a_bar_carries_the_fields_and_the_boot() -> None:
    (span,) = guest_spans([mark(9, "disk-written", "b" * 36, bytes="17", stage="late")], {})
    assert (span.kind, span.detail) == (SpanKind.GUEST, f"bytes=17 boot {'b' * 8}")


def test_a_guest_that_restarts_for_ever_gets_a_bounded_number_of_bars() -> None:
    assert len(bars([mark(float(second), "boot", f"boot-{second}") for second in range(2 * MOST)])) == MOST
