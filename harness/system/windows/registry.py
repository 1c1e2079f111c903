"""Read values of the Windows registry.

`Registry` is a protocol with one method, so that a test can list the values.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Protocol


class Registry(Protocol):
    """Read access to the Windows registry of the local machine."""

    def value(self, key: str, name: str) -> str | int | None:
        """Return a value below HKEY_LOCAL_MACHINE, or None without a readable one."""


class NoRegistry:
    """The Windows registry of another system: it has no values."""

    def value(self, key: str, name: str) -> str | int | None:  # noqa: ARG002 - the protocol's names
        """Return None."""
        return None


class WindowsRegistry:
    """The Windows registry of this host."""

    def __init__(self, winreg: ModuleType) -> None:
        self._winreg = winreg

    def value(self, key: str, name: str) -> str | int | None:
        """Return a value below HKEY_LOCAL_MACHINE, or None without a readable one."""
        try:
            with self._winreg.OpenKey(self._winreg.HKEY_LOCAL_MACHINE, key) as opened:
                found = self._winreg.QueryValueEx(opened, name)[0]
        except OSError:
            return None
        return found if isinstance(found, str | int) else None


def this_registry() -> Registry:
    """Return the Windows registry of this host, empty on other systems."""
    try:
        return WindowsRegistry(importlib.import_module("winreg"))
    except ImportError:
        return NoRegistry()
