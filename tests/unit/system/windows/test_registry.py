from __future__ import annotations

from types import ModuleType
from typing import Any, Self, cast

import pytest

from harness.system.windows.registry import NoRegistry, WindowsRegistry


class FakeKey:
    def __init__(self, values: dict[str, object]) -> None:
        self.values = values

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.values = {}


class FakeWinreg:
    """The two functions of `winreg` that are called, on one key."""

    HKEY_LOCAL_MACHINE = 1
    values: dict[str, object] = {"text": "x", "number": 7, "binary": b"x"}  # noqa: RUF012  (never changed)

    def OpenKey(self, root: int, key: str) -> FakeKey:
        if (root, key) != (1, r"SOFTWARE\VMware"):
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return FakeKey(dict(self.values))

    def QueryValueEx(self, key: FakeKey, name: str) -> tuple[Any, int]:
        if name not in key.values:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return key.values[name], 1


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        (r"SOFTWARE\VMware", "text", "x"),
        (r"SOFTWARE\VMware", "number", 7),
        (r"SOFTWARE\VMware", "binary", None),
        (r"SOFTWARE\VMware", "missing", None),
        (r"SOFTWARE\missing", "text", None),
    ],
)
def test_a_text_or_number_is_a_value_and_anything_else_is_none(key: str, name: str, value: object) -> None:
    assert WindowsRegistry(cast("ModuleType", FakeWinreg())).value(key, name) == value
    assert NoRegistry().value(key, name) is None
