"""Text of unknown origin, made fit to print."""

from __future__ import annotations

import pytest

from harness.core.text import Budget, clip, decode, plain, plain_tree, tail

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[0;1;31mFailed\x1b[0m", "Failed"),
        ("\x1b]0;title\x07text", "text"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("nul\x00 bell\x07 tab\t", "nul\ufffd bell\ufffd tab\t"),
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


def test_a_long_text_loses_its_middle_and_says_so() -> None:
    shown = clip("a" * 600 + "b" * 600, 200)
    assert shown.startswith("a" * 100)
    assert shown.endswith("b" * 100)
    assert "1000 characters left out" in shown


def test_a_tail_is_the_last_lines() -> None:
    assert tail("1\n2\n3\n4\n", 2, 1000) == "3\n4"
    assert len(tail("x" * 5_000_000, 10, 4000)) == 4000


def test_a_tree_is_made_plain_to_its_leaves() -> None:
    tree = {"a\x00": ["b\x00", {"c": ("-gp secret", 1, None)}]}
    assert plain_tree(tree) == {"a\ufffd": ["b\ufffd", {"c": ["-gp ***", 1, None]}]}


def test_what_comes_first_is_served_first() -> None:
    budget = Budget(1000, least=20)
    assert len(budget.clip("<" * 200, 500)) == 200  # costs 800 after escaping
    assert len(budget.clip("x" * 500, 500)) < 260
    assert budget.tail("x" * 500, 10, 500) == ""
    assert "left out" in budget.clip("x" * 500, 500)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        (b"\xef\xbb\xbfmarked", "marked"),
        ("größer".encode(), "größer"),
        (b"", ""),
    ],
)
def test_decode(data: bytes, text: str) -> None:
    assert decode(data) == text


def test_decode_never_raises_and_knows_the_code_page_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = bytes(range(256))
    assert len(decode(everything)) >= 255
    monkeypatch.setattr("locale.getencoding", lambda: "cp1252")
    assert decode(b"gr\xf6\xdfer") == "größer"
    monkeypatch.setattr("locale.getencoding", lambda: "no-such-code-page")
    assert decode(b"gr\xf6") == "gr\ufffd"
