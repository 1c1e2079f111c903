"""Text made plain and cut to the room that a page has for it."""

from __future__ import annotations

from markupsafe import escape

from harness.results.plain_text import plain


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
