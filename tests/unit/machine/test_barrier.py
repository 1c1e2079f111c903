from __future__ import annotations

from harness.machine.barrier import Barrier


def test_it_is_complete_when_everybody_has_come_or_will_not() -> None:
    barrier = Barrier()
    barrier.expect(["a", "b", "c"])
    barrier.arrive("a")
    barrier.arrive("b")
    assert not barrier.complete
    barrier.withdraw("c", "boot of c")
    barrier.withdraw("c", "environment")
    assert barrier.complete
    assert barrier.missing(["a", "b", "c", "d"]) == {"c": "boot of c", "d": "not asked for in this run"}


def test_who_has_come_stays() -> None:
    barrier = Barrier()
    barrier.expect(["a"])
    barrier.arrive("a")
    barrier.withdraw("a", "air-gap of a")
    assert barrier.missing(["a"]) == {}
