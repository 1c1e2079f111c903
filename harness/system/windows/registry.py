"""The Windows registry behind a seam: one question, so that a test can write the answers down."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Protocol


class Registry(Protocol):
    """What the local machine's registry is asked."""

    def value(self, key: str, name: str) -> str | int | None:
        """Return a value below HKEY_LOCAL_MACHINE, or None where there is none that can be read."""


class NoRegistry:
    """The registry of a system that has none."""

    def value(self, key: str, name: str) -> str | int | None:  # noqa: ARG002 - the protocol's names
        """Return None."""
        return None


class WindowsRegistry:
    """The registry of this Windows."""

    def __init__(self, winreg: ModuleType) -> None:
        self._winreg = winreg

    def value(self, key: str, name: str) -> str | int | None:
        """Return a value below HKEY_LOCAL_MACHINE, or None where there is none that can be read."""
        try:
            with self._winreg.OpenKey(self._winreg.HKEY_LOCAL_MACHINE, key) as opened:
                found = self._winreg.QueryValueEx(opened, name)[0]
        except OSError:
            return None
        return found if isinstance(found, str | int) else None


def this_registry() -> Registry:
    """Return the registry of this host, which on other systems than Windows is empty."""
    try:
        return WindowsRegistry(importlib.import_module("winreg"))
    except ImportError:
        return NoRegistry()
