from __future__ import annotations

import io

from harness.system.stdio import use_utf8_output


def test_both_streams_write_utf8_in_every_code_page() -> None:
    raw = io.BytesIO()
    ansi = io.TextIOWrapper(raw, encoding="cp1252", errors="strict")
    use_utf8_output(ansi, io.StringIO())
    print("한국어 größer \ud800", file=ansi, flush=True)
    assert raw.getvalue().decode("utf-8").split() == ["한국어", "größer", "?"]
