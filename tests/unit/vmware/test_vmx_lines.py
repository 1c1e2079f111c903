"""The lines of a VMX file."""

from __future__ import annotations

import pytest

from harness.vmware.vmx_lines import (
    Line,
    VmxError,
    decode_lines,
    escape,
    parse_line,
    render,
    split_lines,
    unescape,
)


def test_only_lf_ends_a_line_and_a_cr_before_it_belongs_to_the_end() -> None:
    assert split_lines("a\r\nb\x0bc\rd\ne") == [(1, "a", "\r\n"), (2, "b\x0bc\rd", "\n"), (3, "e", "")]


@pytest.mark.parametrize("raw", ["", "   \t", "# remark", "  # a = 1", "\0a = 1"])
def test_a_line_without_a_setting_has_no_key(raw: str) -> None:
    assert parse_line(raw, "\n", 1).key == ""


def test_a_setting_keeps_its_text_and_its_bytes() -> None:
    line = parse_line('  memsize="1024" # MiB', "\r\n", 7, b"bytes")
    assert isinstance(line, Line)
    assert (line.key, line.value, line.end, line.data) == ("memsize", "1024", "\r\n", b"bytes")


def test_a_malformed_line_names_its_number() -> None:
    with pytest.raises(VmxError, match="line 4: expected") as caught:
        parse_line('a = "x" y', "\n", 4)
    assert caught.value.line == 4


def test_escape_and_unescape_are_inverse() -> None:
    value = 'say "hi" | é\n'
    assert unescape(escape(value), "UTF-8") == value
    assert render("annotation", 'a"b') == 'annotation = "a|22b"'


def test_escaped_bytes_are_in_the_charset_of_the_file() -> None:
    assert unescape("|bd|c7", "windows-949-2000") == "실"
    assert unescape("|bd|c7", "klingon") == "\ufffd\ufffd"


def test_the_first_charset_that_fits_is_taken() -> None:
    lines, charset = decode_lines('a = "é"\r\nb'.encode("cp1252"), ["UTF-8", "windows-1252"])
    assert charset == "windows-1252"
    assert [(number, raw, end) for number, raw, end, _ in lines] == [(1, 'a = "é"', "\r\n"), (2, "b", "")]
    with pytest.raises(VmxError, match="line 1: not UTF-8"):
        decode_lines(b'a = "\xe9"', ["UTF-8"])
