"""CopyFileFromHostToGuest, CopyFileFromGuestToHost: in pieces, through the guest's agent."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from harness.vmrun_qemu.base.messages import FILE_ACCESS, NOT_A_FILE, NOT_FOUND, Failure, Flags
from harness.vmrun_qemu.client.guest_shell import GuestShell
from harness.vmrun_qemu.commands.guest_files import absolute, checked

# The agent parses JSON character by character: larger pieces are no faster, and each has a time limit.
_PIECE = 1 << 20
_PIECE_S = 60.0
# VMware Tools copy as root, also into directories that the guest user cannot write; a new file gets the user as owner.
_BEFORE_WRITING = r"""
[ -d "$1" ] && exit 104
[ -d "${1%/*}/" ] || exit 102
[ -e "$1" ] || { : > "$1" && chown "$2:" "$1"; } || exit 106
"""
_BEFORE_READING = '[ -e "$1" ] || exit 102; [ -d "$1" ] && exit 104; exit 0'


def to_guest(parameters: Sequence[str], flags: Flags) -> int:
    """Copy a file into the guest; overwrite an existing one.

    Raises:
        Failure: There is no such file or directory, or the guest cannot be reached.
    """
    vmx, source, target = parameters[0], Path(parameters[1]), parameters[2]
    with GuestShell(vmx, flags) as shell:
        if not source.exists():
            raise Failure(NOT_FOUND)
        if not source.is_file():
            raise Failure(NOT_A_FILE)
        checked(shell.run(_BEFORE_WRITING, absolute(target), shell.login.user, as_tools=True))
        with _host_file(source, "rb") as stream, _GuestFile(shell, target, "w") as file:
            while piece := stream.read(_PIECE):
                file.write(piece)
    return 0


def to_host(parameters: Sequence[str], flags: Flags) -> int:
    """Copy a file of the guest to the host.

    An existing file is replaced in one step when all has arrived.

    Raises:
        Failure: There is no such file or directory, or the guest cannot be reached.
    """
    vmx, source, target = parameters[0], parameters[1], Path(parameters[2])
    with GuestShell(vmx, flags) as shell:
        checked(shell.run(_BEFORE_READING, absolute(source), as_tools=True))
        if target.is_dir():
            raise Failure(NOT_A_FILE)
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            with _host_file(part, "wb") as stream, _GuestFile(shell, source, "r") as file:
                for piece in file.pieces():
                    stream.write(piece)
            part.replace(target)
        except OSError as error:
            raise Failure(FILE_ACCESS) from error
        finally:
            part.unlink(missing_ok=True)
    return 0


def _host_file(path: Path, mode: str) -> IO[bytes]:
    try:
        return path.open(mode)
    except OSError as error:
        raise Failure(FILE_ACCESS) from error


class _GuestFile:
    """An open file of the guest."""

    def __init__(self, shell: GuestShell, path: str, mode: str) -> None:
        self._shell = shell
        self._handle = int(shell.ask("guest-file-open", {"path": path, "mode": mode}, _PIECE_S))

    def __enter__(self) -> _GuestFile:
        return self

    def __exit__(self, *_: object) -> None:
        """Close it; that writes the data in the guest."""
        self._ask("guest-file-close", {})

    def write(self, piece: bytes) -> None:
        """Append a piece to the file.

        Raises:
            Failure: The guest's file system is full or damaged.
        """
        done = self._ask("guest-file-write", {"buf-b64": base64.b64encode(piece).decode("ascii")})
        if done["count"] != len(piece):
            raise Failure(FILE_ACCESS)

    def pieces(self) -> Iterator[bytes]:
        """Yield the content of the file."""
        while True:
            answer = self._ask("guest-file-read", {"count": _PIECE})
            if answer["count"]:
                yield base64.b64decode(answer["buf-b64"])
            if answer["eof"] or not answer["count"]:
                return

    def _ask(self, command: str, arguments: Mapping[str, Any]) -> Any:
        return self._shell.ask(command, {"handle": self._handle, **arguments}, _PIECE_S)
