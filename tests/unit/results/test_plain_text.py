"""Text of unknown origin, made fit to print."""

from __future__ import annotations

import pytest

from harness.core.secret import Secret
from harness.results.plain_text import plain, plain_tree

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[0;1;31mFailed\x1b[0m", "Failed"),
        ("\x1b]0;title\x07text", "text"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("nul\x00 bell\x07 tab\t", "nul\ufffd bell\ufffd tab\t"),
        ("line\x85 next\u2028 \u200f\u061c\u200e\x9b2J", "line\ufffd next\ufffd \ufffd\ufffd\ufffd\ufffd2J"),
        ("left\u202eright", "left\ufffdright"),
        ("\ud800", "\ufffd"),
        ("한국어 ✓ <b>", "한국어 ✓ <b>"),
    ],
)
def test_nothing_acts_on_a_terminal_or_a_browser(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize("cut", [KEY, KEY[20:], KEY[:-30], f"before\n{KEY}\nafter"])
def test_a_private_key_is_masked_also_where_it_was_cut(cut: str) -> None:
    assert "c2VjcmV0" not in plain(cut)


def test_text_around_a_key_stays() -> None:
    shown = plain(f"before\n{KEY}\nafter")
    assert shown.startswith("before\n")
    assert shown.endswith("\nafter")


def test_making_plain_twice_changes_nothing() -> None:
    once = plain(f"x {KEY} -gp hunter2 \x1b[1m")
    assert plain(once) == once


def test_a_tree_is_made_plain_to_its_leaves() -> None:
    tree = {"a\x00": ["b\x00", {"c": ("-gp secret", 1, None)}]}
    assert plain_tree(tree) == {"a\ufffd": ["b\ufffd", {"c": ["-gp ***", 1, None]}]}


def test_a_secret_that_becomes_known_later_is_masked_in_the_same_text() -> None:
    text = "the word of the day is honeycomb-417"
    assert plain(text) == text
    Secret("honeycomb-417")
    assert plain(text) == "the word of the day is ***"
