"""VMware's own reader of VMX lines and charset names, from Debian's open-vm-tools, as the oracle of ours."""

from __future__ import annotations

import ctypes
import os
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.vmware import charsets
from harness.vmware.vmx_lines import VmxError, parse_line, unescape

Setting = tuple[bytes, bytes] | None


@cache
def library() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("libvmtools.so.0")
    except OSError as error:
        if os.environ.get("INTEROP_REQUIRED"):
            raise
        pytest.skip(f"open-vm-tools is not installed: {error}")


def theirs(line: bytes) -> Setting:
    """Return key and value as VMware reads a line, or None."""
    unmarshal = library().DictLL_UnmarshalLine
    unmarshal.restype = ctypes.c_void_p
    unmarshal.argtypes = [ctypes.c_char_p, ctypes.c_size_t, *[ctypes.POINTER(ctypes.c_char_p)] * 3]
    copy, name, value = ctypes.c_char_p(), ctypes.c_char_p(), ctypes.c_char_p()
    unmarshal(line, len(line), ctypes.byref(copy), ctypes.byref(name), ctypes.byref(value))
    return None if name.value is None or value.value is None else (name.value, value.value)


def ours(line: bytes) -> Setting:
    try:
        found = parse_line(line.decode("latin-1"), "", 1)
    except VmxError:
        return None
    value = unescape(found.value, "ISO-8859-1")
    return (found.key.encode("latin-1"), value.encode("latin-1")) if found.key else None


@settings(deadline=None, max_examples=2000)
@given(st.text('ab |="#\t\r27Cz\0\x0b', max_size=24).map(str.encode))
@example(b'annotation = "db | web"')
@example(b'annotation = it"s')
@example(b'a="x"\rb="y"')
def test_a_line_is_read_as_vmware_reads_it(line: bytes) -> None:
    assert ours(line) == theirs(line)


def test_every_charset_name_of_ours_is_one_of_vmwares() -> None:
    to_number = library().Unicode_EncodingNameToEnum
    to_number.argtypes, to_number.restype = [ctypes.c_char_p], ctypes.c_int
    unknown = [name for name in charsets.names() if to_number(name.encode()) < 0]
    assert unknown == []
