"""Access lists of files in the Security Descriptor Definition Language of Windows."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_SDDL_REVISION = 1
_DACL = 0x4  # DACL_SECURITY_INFORMATION
_PROTECTED_DACL = 0x80000000  # PROTECTED_DACL_SECURITY_INFORMATION: nothing is inherited from the directory
_INSUFFICIENT_BUFFER = 122  # ERROR_INSUFFICIENT_BUFFER
_TOKEN_QUERY = 0x8
_TOKEN_USER = 1  # TokenUser of TOKEN_INFORMATION_CLASS


def access_list(path: Path) -> str:
    """Return the access list of a file or directory in SDDL.

    It looks like `D:P(A;;FA;;;SY)…`; its names are the same in every language of Windows.

    Raises:
        OSError: It cannot be read, or this is not Windows.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has access lists")
    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    needed = ctypes.c_ulong()
    if not advapi.GetFileSecurityW(str(path), _DACL, None, 0, ctypes.byref(needed)):
        error = ctypes.WinError(ctypes.get_last_error(), None)
        if error.winerror != _INSUFFICIENT_BUFFER:
            error.filename = str(path)
            raise error
    descriptor = ctypes.create_string_buffer(needed.value)
    _check(advapi.GetFileSecurityW(str(path), _DACL, descriptor, needed, ctypes.byref(needed)))
    text = ctypes.c_wchar_p()
    convert = advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW
    _check(convert(descriptor, _SDDL_REVISION, _DACL, ctypes.byref(text), None))
    try:
        return text.value or ""
    finally:
        _free(text)


def set_access_list(path: Path, sddl: str) -> None:
    """Set the access list of a file or directory; it inherits nothing.

    Raises:
        OSError: The list cannot be set, or this is not Windows.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has access lists")
    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    descriptor = ctypes.c_void_p()
    convert = advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW
    _check(convert(sddl, _SDDL_REVISION, ctypes.byref(descriptor), None))
    try:
        _check(advapi.SetFileSecurityW(str(path), _DACL | _PROTECTED_DACL, descriptor))
    finally:
        _free(descriptor)


def keep_private(path: Path) -> None:
    """Restrict a file on Windows to this account, the system and administrators.

    OpenSSH for Windows requires that of a private key. On other systems a file is created with its mode.

    Raises:
        OSError: The access list cannot be set.
    """
    if sys.platform == "win32":
        set_access_list(path, f"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;{account_sid()})")


def account_sid() -> str:
    """Return the security identifier of this process's account, as `S-1-5-21-…`.

    It is the same in every language of Windows.

    Raises:
        OSError: Windows does not report it, or this is not Windows.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has security identifiers")
    advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    token, needed, text = ctypes.c_void_p(), ctypes.c_ulong(), ctypes.c_wchar_p()
    _check(advapi.OpenProcessToken(ctypes.c_void_p(kernel.GetCurrentProcess()), _TOKEN_QUERY, ctypes.byref(token)))
    try:
        user = (ctypes.c_void_p * 32)()  # TOKEN_USER: a pointer to the identifier first, the identifier behind it
        _check(advapi.GetTokenInformation(token, _TOKEN_USER, user, ctypes.sizeof(user), ctypes.byref(needed)))
        _check(advapi.ConvertSidToStringSidW(ctypes.c_void_p(user[0]), ctypes.byref(text)))
    finally:
        kernel.CloseHandle(token)
    try:
        return text.value or ""
    finally:
        _free(text)


def _check(succeeded: int) -> None:
    if sys.platform == "win32" and not succeeded:
        raise ctypes.WinError(ctypes.get_last_error())


def _free(memory: object) -> None:
    """Free memory that Windows allocated (LocalFree)."""
    if sys.platform == "win32":
        ctypes.WinDLL("kernel32").LocalFree(memory)
