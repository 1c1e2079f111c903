"""The account of this process and its logon session on Windows."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass

# Well-known accounts that services run as (Microsoft, "Well-known SIDs").
_SERVICE_ACCOUNTS = {"S-1-5-18": "LocalSystem", "S-1-5-19": "LocalService", "S-1-5-20": "NetworkService"}


@dataclass(frozen=True)
class Session:
    """A logon session.

    Attributes:
        number: The number that Windows gave it; session 0 belongs to the services and has no desktop.
        sid: The security identifier of the account.
    """

    number: int
    sid: str

    @property
    def is_service(self) -> bool:
        """Whether a service started this process, not a desktop user."""
        return self.number == 0 or self.sid in _SERVICE_ACCOUNTS

    def __str__(self) -> str:
        """Return `session 1 of S-1-5-21-…`."""
        return f"session {self.number} of {_SERVICE_ACCOUNTS.get(self.sid, self.sid)}"


def session_number() -> int:
    """Return the number of this process's logon session.

    Raises:
        OSError: Windows does not report it, or this is not Windows.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has logon sessions of this kind")
    number = ctypes.c_ulong()
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    if not kernel.ProcessIdToSessionId(os.getpid(), ctypes.byref(number)):
        raise ctypes.WinError(ctypes.get_last_error())
    return number.value


def is_administrator() -> bool:
    """Return whether this process has an administrator's rights.

    Raises:
        OSError: This is not Windows.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has administrators of this kind")
    return bool(ctypes.WinDLL("shell32").IsUserAnAdmin())
