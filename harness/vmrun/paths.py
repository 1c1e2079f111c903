"""Paths of the host, where two spellings can be one file, and paths of the guest, where no rule of the host holds."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from harness.core.errors import UsageError

_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_UNC = re.compile(r"^(?:\\\\|//)[^\\/]+[\\/][^\\/]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# `\\?\C:\…` and `\\?\UNC\server\share\…` are the long forms of `C:\…` and `\\server\share\…`.
_LONG = re.compile(r"^\\\\[?.]\\(UNC\\)?", re.IGNORECASE)
# What a program on Windows prints for a letter that the ANSI code page does not have; no path contains it.
_LOST = re.compile(r"[?\ufffd]+")


class GuestStyle(StrEnum):
    """Whose rules a guest's paths and command lines follow."""

    POSIX = "posix"
    WINDOWS = "windows"


@dataclass(frozen=True)
class GuestPath:
    r"""An absolute path in a guest: `/usr/bin/id` or `C:\Windows\System32\cmd.exe`.

    It is no `os.PathLike`: it cannot be opened, and joining it with a path of the host, either way round, is a
    TypeError. Only text is joined to it. The current directory of a guest operation is undefined and `..` was seen not
    to be resolved, so neither a relative path nor `..` is accepted.

    Raises:
        UsageError: It is relative, or has `..` or a control character in it.
    """

    text: str

    def __post_init__(self) -> None:
        problem = _problem(self.text)
        if problem:
            raise UsageError(
                f"not a path in a guest: {problem}",
                where=repr(self.text),
                remedy=r"give a full path, e.g. /usr/bin/id or C:\Windows\System32\cmd.exe",
            )

    @property
    def style(self) -> GuestStyle:
        """Whose path it is, by its first letters."""
        return GuestStyle.POSIX if _is_posix(self.text) else GuestStyle.WINDOWS

    @property
    def name(self) -> str:
        """Its last part."""
        if self.style is GuestStyle.POSIX:
            return posixpath.basename(self.text.rstrip("/"))
        return ntpath.basename(self.text.rstrip("/\\"))

    @property
    def parent(self) -> GuestPath:
        """The directory that it is in; the root is in itself."""
        if self.style is GuestStyle.POSIX:
            return GuestPath(posixpath.dirname(self.text.rstrip("/")) or "/")
        return GuestPath(ntpath.dirname(self.text.rstrip("/\\")) or self.text)

    def __truediv__(self, part: str) -> GuestPath:
        """Return the path of something in this directory."""
        if not isinstance(part, str):
            return NotImplemented
        if _is_posix(part) or _is_windows(part) or part.startswith("\\"):
            raise UsageError(f"{part!r} is not below {self.text}", remedy="join a relative path")
        if self.style is GuestStyle.POSIX:
            return GuestPath(posixpath.join(self.text, part))
        return GuestPath(ntpath.join(self.text, part))

    def __str__(self) -> str:
        return self.text


def path_identity(path: str | os.PathLike[str], platform: str) -> str:
    r"""Return a text that is equal for two spellings of one VMX path, without touching the file system.

    Windows compares without case, with `/` for `\`, and with or without `\\?\`; macOS without case and without minding
    how an accent is put together.
    """
    text = os.fspath(path)
    if platform == "win32":
        text = _LONG.sub(lambda match: "\\\\" if match[1] else "", text.replace("/", "\\"))
        return ntpath.normpath(text).lower()
    text = posixpath.normpath(text)
    return unicodedata.normalize("NFC", text).casefold() if platform == "darwin" else text


def same_vmx(one: str | os.PathLike[str], listed: str | os.PathLike[str], platform: str) -> bool:
    """Return whether both name one file: by their spelling, or by the file system (links, 8.3 names).

    On Windows `listed` may come from a program that wrote `?` for each letter outside its code page.
    """
    ours, theirs = path_identity(one, platform), path_identity(listed, platform)
    if ours == theirs or (platform == "win32" and _same_but_for_lost_letters(ours, theirs)):
        return True
    try:
        if os.path.samefile(one, listed):  # noqa: PTH121  (a str of vmrun, which need not be a path of this host)
            return True
    except (OSError, ValueError):
        pass
    try:
        return path_identity(os.path.realpath(one), platform) == path_identity(os.path.realpath(listed), platform)
    except (OSError, ValueError):
        return False


def _same_but_for_lost_letters(whole: str, lossy: str) -> bool:
    parts = _LOST.split(lossy)
    return len(parts) > 1 and re.fullmatch(r"[^\x00-\x7f]+".join(map(re.escape, parts)), whole) is not None


def _problem(text: str) -> str:
    if not (_is_posix(text) or _is_windows(text)):
        return "it is not absolute"
    if _CONTROL.search(text):
        return "it has a control character"
    return "it has `..` in it" if ".." in re.split(r"[\\/]", text) else ""


def _is_posix(text: str) -> bool:
    return text.startswith("/") and not text.startswith("//")


def _is_windows(text: str) -> bool:
    return bool(_DRIVE.match(text) or _UNC.match(text))
