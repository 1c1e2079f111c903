"""Clip texts to the room that a page has."""

from __future__ import annotations

from markupsafe import escape

from harness.results.plain_text import plain


def clip(text: str, limit: int) -> str:
    """Return plain text of about `limit` characters, its middle left out."""
    if len(text) <= limit:
        return plain(text)
    half = limit // 2
    left_out = f"\n[… {len(text) - 2 * half} characters left out …]\n"
    return plain(text[:half]) + left_out + plain(text[-half:])


def tail(text: str, lines: int, limit: int) -> str:
    """Return the last lines of `text`, plain, at most `limit` characters."""
    cut = text[-limit:] if len(text) > limit else text
    kept = plain(cut).strip("\n").split("\n")[-lines:]
    return "\n".join(kept)


class Budget:
    """Room for text on a page, shared by all texts."""

    def __init__(self, total: int, least: int = 60) -> None:
        self._left = total
        self._least = least

    def clip(self, text: str, limit: int) -> str:
        """Return `text` clipped; its cost is its length after HTML escaping."""
        return self._charge(clip(text, max(self._least, min(limit, self._left))))

    def tail(self, text: str, lines: int, limit: int) -> str:
        """Return the end of `text` as `tail` does, within the room left."""
        room = min(limit, self._left)
        return self._charge(tail(text, lines, room)) if room > self._least else ""

    def _charge(self, text: str) -> str:
        self._left = max(0, self._left - len(escape(text)))
        return text
