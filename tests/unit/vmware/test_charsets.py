"""Charsets by the names that VMware writes."""

from __future__ import annotations

import pytest

from harness.vmware import charsets

SINGLE_BYTE = ("ibm-874", *(f"windows-{page}" for page in range(1250, 1259)), "ISO-8859-1", "ISO-8859-15", "IBM437")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("windows-949-2000", "cp949"),
        ("KS_C_5601-1987", "cp949"),
        ("MS949", "cp949"),
        ("ibm-874_P100-1995", "cp874"),
        ("TIS-620", "cp874"),
        ("shift_jis", "cp932"),
        ("Windows-31J", "cp932"),
        ("ibm-943_P15A-2003", "cp932"),
        ("Big5", "cp950"),
        ("windows-950-2000", "cp950"),
        ("GBK", "gbk"),
        ("windows-936-2000", "gbk"),
        ("gb2312", "gb18030"),
        ("ibm-5348_P100-1997", "cp1252"),
        ("Windows 1252", "cp1252"),
        ("latin1", "iso8859-1"),
        ("UTF8", "utf-8"),
        ("US-ASCII", "ascii"),
    ],
)
def test_a_name_leads_to_the_codec_of_the_windows_code_page(name: str, codec: str) -> None:
    assert charsets.python_codec(name) == codec


@pytest.mark.parametrize(
    "name", ["", "klingon", "a\0b", "hex", "rot13", "idna", "undefined", "utf-7", "utf-16", "mbcs"]
)
def test_a_name_of_no_vmware_file_is_refused(name: str) -> None:
    with pytest.raises(LookupError):
        charsets.python_codec(name)


@pytest.mark.parametrize("name", SINGLE_BYTE)
def test_every_byte_of_a_single_byte_charset_is_a_character(name: str) -> None:
    texts = [charsets.decode(bytes([byte]), name) for byte in range(256)]
    assert {len(text) for text in texts} == {1}
    assert "".join(texts[:128]) == bytes(range(128)).decode("ascii")


@pytest.mark.parametrize("text", ["①㈱髙", "∥－～"])
def test_code_page_932_has_what_shift_jis_lacks(text: str) -> None:
    assert charsets.decode(text.encode("cp932"), "Shift_JIS") == text
    assert charsets.encode(text, "Shift_JIS") == text.encode("cp932")


def test_bytes_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        charsets.decode(b"\xff", "UTF-8")
    with pytest.raises(UnicodeDecodeError):
        charsets.decode(b'\xbd"', "windows-949-2000")


def test_a_character_that_a_charset_lacks_is_an_error() -> None:
    with pytest.raises(UnicodeEncodeError):
        charsets.encode("실험", "windows-1252")
