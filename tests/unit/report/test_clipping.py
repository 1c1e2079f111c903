"""Text cut to the room of a page."""

from __future__ import annotations

from harness.report.clipping import Budget, clip, tail


def test_a_long_text_loses_its_middle_and_says_so() -> None:
    shown = clip("a" * 600 + "b" * 600, 200)
    assert shown.startswith("a" * 100)
    assert shown.endswith("b" * 100)
    assert "1000 characters left out" in shown


def test_a_tail_is_the_last_lines() -> None:
    assert tail("1\n2\n3\n4\n", 2, 1000) == "3\n4"
    assert len(tail("x" * 5_000_000, 10, 4000)) == 4000


def test_what_comes_first_is_served_first() -> None:
    budget = Budget(1000, least=20)
    assert len(budget.clip("<" * 200, 500)) == 200  # costs 800 after escaping
    assert len(budget.clip("x" * 500, 500)) < 260
    assert budget.tail("x" * 500, 10, 500) == ""
    assert "left out" in budget.clip("x" * 500, 500)
