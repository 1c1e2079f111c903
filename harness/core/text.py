"""Text of unknown origin made fit to print: no secrets, no control characters, no more than fits."""

from __future__ import annotations

import locale
import re
from typing import Any

from markupsafe import escape

from harness.core.secret import MASK, redact

# ECMA-48 escape sequences as consoles use them: CSI, OSC, and the two-character ones.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,500}(?:\x07|\x1b\\)|[@-Z\\-_])")
# C0 and C1 controls but tab and newline, bidirectional overrides (Unicode TR 9), non-characters, lone surrogates.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
_KEY_TAIL = re.compile(r"\A(?:(?!-----BEGIN ).)*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_KEY_HEAD = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?! \*\*\*).*\Z", re.DOTALL)


def plain(text: str) -> str:
    """Return `text` redacted, with `\\n` line ends and nothing that a terminal or a browser would act on.

    A private key that was cut at either end of the text is masked too.
    """
    text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    text = redact(_UNPRINTABLE.sub("\ufffd", text))
    return _KEY_HEAD.sub(rf"\1 {MASK}", _KEY_TAIL.sub(MASK, text))


def plain_tree(value: Any) -> Any:
    """Return a JSON value with every string in it, keys too, made plain."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain_tree(key): plain_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_tree(item) for item in value]
    return value


def clip(text: str, limit: int) -> str:
    """Return `text` made plain, its middle left out where it is longer than about `limit` characters."""
    if len(text) <= limit:
        return plain(text)
    half = limit // 2
    left_out = f"\n[… {len(text) - 2 * half} characters left out …]\n"
    return plain(text[:half]) + left_out + plain(text[-half:])


def tail(text: str, lines: int, limit: int) -> str:
    """Return the last `lines` lines of `text`, made plain, at most `limit` characters of them."""
    cut = text[-limit:] if len(text) > limit else text
    kept = plain(cut).strip("\n").split("\n")[-lines:]
    return "\n".join(kept)


class Budget:
    """Hands out room on a page: every text is clipped to its own limit, and to what is left for all of them."""

    def __init__(self, total: int, least: int = 60) -> None:
        self._left = total
        self._least = least

    def clip(self, text: str, limit: int) -> str:
        """Return `text` clipped; its cost is its length after HTML escaping."""
        return self._charge(clip(text, max(self._least, min(limit, self._left))))

    def tail(self, text: str, lines: int, limit: int) -> str:
        """Return the end of `text` as `tail` does, or nothing where there is no room left."""
        room = min(limit, self._left)
        return self._charge(tail(text, lines, room)) if room > self._least else ""

    def _charge(self, text: str) -> str:
        self._left = max(0, self._left - len(escape(text)))
        return text


def decode(data: bytes) -> str:
    """Return text from a tool's bytes, with `\\n` as its line end, whatever it wrote: never raises.

    UTF-8 first; then the ANSI code page that Windows programs use; what neither knows becomes U+FFFD.
    """
    for encoding in ("utf-8-sig", locale.getencoding()):
        try:
            text = data.decode(encoding)
            break
        except (UnicodeDecodeError, LookupError):
            continue
    else:
        text = data.decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
