"""Make foreign text printable: no secrets, no control characters."""

from __future__ import annotations

import functools
import re
from typing import Any

from harness.core.secret import MASK, known_forms, redact

# ECMA-48 escape sequences as consoles use them: CSI, OSC, and the two-character ones.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)|[@-Z\\-_])")
# C0 and C1 controls but tab and newline, line and paragraph separators, marks and overrides of the direction (Unicode
# TR 9), non-characters, lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
_SHORT = 200  # characters
_KEY_TAIL = re.compile(r"\A(?:(?!-----BEGIN ).)*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_KEY_HEAD = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?! \*\*\*).*\Z", re.DOTALL)


def plain(text: str) -> str:
    """Return `text` redacted, without escapes or control characters.

    A private key that was cut at either end of the text is masked too.
    """
    # A journal has few different short texts, many times.
    return _plain_again(text, known_forms()) if len(text) <= _SHORT else _plain(text)


@functools.lru_cache(maxsize=4096)
def _plain_again(text: str, _known_forms: int) -> str:
    return _plain(text)


def _plain(text: str) -> str:
    if not text.isprintable():  # most texts are: what is searched for below is not
        text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
        text = _UNPRINTABLE.sub("\ufffd", text)
    text = redact(text)
    if "PRIVATE KEY-----" not in text:
        return text
    return _KEY_HEAD.sub(rf"\1 {MASK}", _KEY_TAIL.sub(MASK, text))


def plain_tree(value: Any) -> Any:
    """Return a JSON value with every string and key made plain."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain_tree(key): plain_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_tree(item) for item in value]
    return value
