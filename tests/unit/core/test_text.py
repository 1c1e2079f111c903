"""Text from bytes: every byte is read, whatever wrote it."""

from __future__ import annotations

import pytest

from harness.core.text import decode


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
