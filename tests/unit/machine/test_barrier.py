from __future__ import annotations

from harness.machine.barrier import Meeting


def test_it_is_complete_when_everybody_has_come_or_will_not() -> None:
    meeting = Meeting()
    meeting.expect(["a", "b", "c"])
    meeting.come("a")
    meeting.come("b")
    assert not meeting.complete
    meeting.stay_away("c", "boot of c")
    meeting.stay_away("c", "environment")
    assert meeting.complete
    assert meeting.absent(["a", "b", "c", "d"]) == {"c": "boot of c", "d": "not asked for in this run"}


def test_who_has_come_stays() -> None:
    meeting = Meeting()
    meeting.expect(["a"])
    meeting.come("a")
    meeting.stay_away("a", "air-gap of a")
    assert meeting.absent(["a"]) == {}
