"""Paths of the host and paths of a guest.

Two spellings of a host path can name one file. A guest path follows the rules of its guest, not those of the host.
"""

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
    """The rules of a guest for paths and command lines."""

    POSIX = "posix"
    WINDOWS = "windows"


@dataclass(frozen=True)
class GuestPath:
    r"""An absolute path in a guest: `/usr/bin/id` or `C:\Windows\System32\cmd.exe`.

    It is no `os.PathLike`: it cannot be opened, and joining it with a path of the host, in either order, is a
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
        """The style of the path, by its first characters."""
        return GuestStyle.POSIX if _is_posix(self.text) else GuestStyle.WINDOWS

    @property
    def name(self) -> str:
        """The last part."""
        if self.style is GuestStyle.POSIX:
            return posixpath.basename(self.text.rstrip("/"))
        return ntpath.basename(self.text.rstrip("/\\"))

    @property
    def parent(self) -> GuestPath:
        """The parent directory; the root is its own."""
        if self.style is GuestStyle.POSIX:
            return GuestPath(posixpath.dirname(self.text.rstrip("/")) or "/")
        return GuestPath(ntpath.dirname(self.text.rstrip("/\\")) or self.text)

    def __truediv__(self, part: str) -> GuestPath:
        """Return the path of an item in this directory."""
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
    r"""Return the same text for every spelling of a VMX path.

    The file system is not read. Windows ignores case, the difference of `/` and `\`, and the prefix `\\?\`; macOS
    ignores case and the Unicode composition.
    """
    text = os.fspath(path)
    if platform == "win32":
        text = _LONG.sub(lambda match: "\\\\" if match[1] else "", text.replace("/", "\\"))
        return ntpath.normpath(text).lower()
    text = posixpath.normpath(text)
    return unicodedata.normalize("NFC", text).casefold() if platform == "darwin" else text


def same_vmx(one: str | os.PathLike[str], listed: str | os.PathLike[str], platform: str) -> bool:
    """Return whether two paths name one VMX file.

    Their spellings decide, or the file system (links, 8.3 names). On Windows `listed` may come from a program that
    printed `?` for each letter outside its code page.
    """
    ours, theirs = path_identity(one, platform), path_identity(listed, platform)
    if ours == theirs or (platform == "win32" and _same_except_lost_letters(ours, theirs)):
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


def _same_except_lost_letters(whole: str, lossy: str) -> bool:
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
