"""Charsets of VMware's text files, by the names that VMware writes.

VMware names a file's charset as ICU does, after the ANSI code page of the Windows host:
`.encoding = "windows-949-2000"`.
Source of the names: open-vm-tools, lib/unicode/unicodeSimpleTypes.c, as its `Unicode_EncodingNameToEnum` reads them.
"""

from __future__ import annotations

import codecs
import re

# Windows code page as a Python codec -> ICU's names that Python does not know, or knows as a smaller charset.
_ALIASES = {
    "cp874": "ibm-874 ibm-874_P100-1995 ibm-9066 windows-874 windows-874-2000 MS874 TIS-620 tis620.2533 eucTH",
    "cp932": (
        "Shift_JIS MS_Kanji csShiftJIS windows-932 Windows-31J csWindows31J x-sjis sjis x-ms-cp932 ms932 "
        "ibm-943 ibm-943_P15A-2003 ibm-943_P130-1999 ibm-943_VSUB_VPUA ibm-943_VASCII_VSUB_VPUA cp943 cp943c IBM-943C "
        "pck"
    ),
    "gbk": "windows-936 windows-936-2000 MS936 ibm-1386 ibm-1386_P100-2001 ibm-1386_VSUB_VPUA cp1386",
    "cp949": (
        "windows-949 windows-949-2000 MS949 KS_C_5601-1987 KS_C_5601-1989 KSC_5601 korean ksc csKSC56011987 iso-ir-149 "
        "ibm-1363 ibm-1363_P11B-1998 ibm-1363_VSUB_VPUA cp1363"
    ),
    "euc_kr": "csEUCKR ibm-eucKR ibm-970 ibm-970_P110_P110-2006_U2 ibm-970_VPUA cp970",
    "cp950": "Big5 csBig5 x-big5 windows-950 windows-950-2000 ibm-1373 ibm-1373_P100-2002",
    "cp1250": "ibm-1250 ibm-1250_P100-1995 ibm-5346 ibm-5346_P100-1998",
    "cp1251": "ibm-1251 ibm-1251_P100-1995 ibm-5347 ibm-5347_P100-1998 ANSI1251",
    "cp1252": "ibm-1252 ibm-1252_P100-2000 ibm-5348 ibm-5348_P100-1997",
    "cp1253": "ibm-1253 ibm-1253_P100-1995 ibm-5349 ibm-5349_P100-1998",
    "cp1254": "ibm-1254 ibm-1254_P100-1995 ibm-5350 ibm-5350_P100-1998",
    "cp1255": "ibm-5351 ibm-5351_P100-1998 ibm-9447 ibm-9447_P100-2002",
    "cp1256": "ibm-5352 ibm-5352_P100-1998 ibm-9448 ibm-9448_X100-2005",
    "cp1257": "ibm-5353 ibm-5353_P100-1998 ibm-9449 ibm-9449_P100-2002",
    "cp1258": "ibm-1258 ibm-1258_P100-1997 ibm-5354 ibm-5354_P100-1998",
    "iso8859-2": "ibm-912 ibm-912_P100-1995 8859_2 cp912",
    "iso8859-5": "ibm-915 ibm-915_P100-1995 8859_5 cp915",
    "iso8859-7": "ibm-9005 ibm-9005_X110-2007",
    "iso8859-9": "ibm-920 ibm-920_P100-1995 8859_9 cp920 ECMA-128 turkish8",
    "iso8859-15": "ibm-923 ibm-923_P100-1998 8859_15 cp923 Latin-9",
    "cp437": "ibm-437_P100-1995",
    "cp720": "Windows-720 DOS-720 DOS_720 ibm-720 ibm-720_P100-1997",
    "cp737": "Windows-737 IBM737 ibm-737 ibm-737_P100-1997",
    "cp775": "ibm-775_P100-1996",
    "cp850": "ibm-850_P100-1995",
    "cp852": "ibm-852_P100-1995",
    "cp857": "ibm-857_P100-1995",
    "cp858": "IBM00858 CCSID00858 CP00858 ibm-858 ibm-858_P100-1997",
    "cp862": "ibm-862_P100-1995 DOS-862",
    "cp866": "ibm-866_P100-1995",
    "utf-8": "ibm-1208 ibm-1209 ibm-5304 ibm-5305 cp1208",
}
# Supersets of ASCII: the lines of these files are found before they are decoded.
_SUPERSETS = {
    *_ALIASES,
    *(
        "ascii",
        "gb18030",
        "big5hkscs",
        "euc_jp",
        "hp-roman8",
        "koi8-r",
        "koi8-u",
        "cp855",
        "cp860",
        "cp861",
        "cp863",
        "cp864",
        "cp865",
    ),
    *(f"iso8859-{part}" for part in (1, 3, 4, 6, 8, 10, 11, 13, 14, 16)),
}
# Codecs of Python that lack characters of the Windows code page of the same name.
_WIDER = {"shift_jis": "cp932", "big5": "cp950", "gb2312": "gb18030", "tis-620": "cp874"}


def _plain(name: str) -> str:
    """Return a charset name as ICU compares it.

    ICU ignores case, `-`, `_` and blanks.
    """
    return re.sub(r"[-_ ]", "", name).lower()


_BY_NAME = {_plain(alias): codec for codec, aliases in _ALIASES.items() for alias in aliases.split()}


def names() -> tuple[str, ...]:
    """Return every name that this module adds to those of Python."""
    return tuple(alias for aliases in _ALIASES.values() for alias in aliases.split())


def python_codec(name: str) -> str:
    """Return the Python codec of a charset that VMware names.

    Raises:
        LookupError: The name is unknown, or is no superset of ASCII.
    """
    codec = _BY_NAME.get(_plain(name))
    if codec is None:
        try:
            known = codecs.lookup(name).name
        except ValueError as error:  # a NUL in the name
            raise LookupError(f"unknown charset: {name!r}") from error
        codec = _WIDER.get(known, known)
    if codec not in _SUPERSETS:
        raise LookupError(f"no charset of a VMware file: {name!r}")
    return codec


def decode(data: bytes, name: str) -> str:
    """Return the text of `data` in the charset that VMware names.

    A byte that a code page leaves undefined becomes the character of the same number.

    Raises:
        LookupError: As `python_codec`.
        UnicodeDecodeError: The bytes do not fit.
    """
    return data.decode(python_codec(name), _UNDEFINED)


def encode(text: str, name: str) -> bytes:
    """Return the bytes of `text` in the charset that VMware names.

    Raises:
        LookupError: As `python_codec`.
        UnicodeEncodeError: The charset lacks a character.
    """
    return text.encode(python_codec(name))


_UNDEFINED = "vmware-undefined-byte"


def _undefined_byte(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        byte = error.object[error.start]
        single_byte = error.encoding == "charmap"
        if single_byte or (error.encoding in _TWO_BYTES and byte in (0x80, 0xFF)):
            return chr(byte), error.start + 1
    raise error


_TWO_BYTES = ("cp932", "cp949", "cp950", "gbk", "gb18030", "big5hkscs")
codecs.register_error(_UNDEFINED, _undefined_byte)
