"""A Windows registry with the values of a test."""

from __future__ import annotations

from collections.abc import Mapping


class FakeWindowsRegistry:
    """A mapping of (key, name) to value; neither has case, as in Windows."""

    def __init__(self, values: Mapping[tuple[str, str], str | int] | None = None) -> None:
        self._values = {(key.lower(), name.lower()): value for (key, name), value in (values or {}).items()}

    def value(self, key: str, name: str) -> str | int | None:
        return self._values.get((key.lower(), name.lower()))
