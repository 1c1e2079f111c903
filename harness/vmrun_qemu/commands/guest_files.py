"""The verbs about files and directories of the guest, without the copies: each is some `sh`, run by the guest user."""

from __future__ import annotations

from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import (
    EXIT_FAILURE,
    FILE_ACCESS,
    FILE_EXISTS,
    NO_GUEST_PERMISSION,
    NOT_A_DIRECTORY,
    NOT_A_FILE,
    NOT_FOUND,
    Failure,
    Flags,
    say,
)
from harness.vmrun_qemu.client.guest_shell import GuestShell, Outcome

# How the scripts below end where VMware has words for it.
STATUSES = {
    102: NOT_FOUND,
    103: FILE_EXISTS,
    104: NOT_A_FILE,
    105: NOT_A_DIRECTORY,
    106: NO_GUEST_PERMISSION,
}
_DELETE_FILE = """
[ -d "$1" ] && [ ! -L "$1" ] && exit 104
[ -e "$1" ] || [ -L "$1" ] || exit 102
rm -f -- "$1" || exit 106
"""
_DELETE_DIRECTORY = '[ -e "$1" ] || exit 102; [ -d "$1" ] || exit 105; rm -rf -- "$1" || exit 106'
# As VIX documents it: missing parents are made too.
_CREATE_DIRECTORY = '[ -e "$1" ] && exit 103; mkdir -p -- "$1" || exit 106'
_RENAME = '[ -e "$1" ] || [ -L "$1" ] || exit 102; [ -e "$2" ] && exit 103; mv -- "$1" "$2" || exit 106'
_LIST = r"""
[ -e "$1" ] || exit 102; [ -d "$1" ] || exit 105; cd -- "$1" && ls >/dev/null || exit 106
for name in * .[!.]* ..?*; do [ -e "$name" ] || [ -L "$name" ] && printf '%s\0' "$name"; done
exit 0
"""
_TEMPORARY = "mktemp /tmp/vmware-XXXXXXXX || exit 106"


def file_exists(parameters: Sequence[str], flags: Flags) -> int:
    """Print whether there is such a file; the status says it too."""
    return _exists(parameters, flags, "-f", "file")


def directory_exists(parameters: Sequence[str], flags: Flags) -> int:
    """Print whether there is such a directory; the status says it too."""
    return _exists(parameters, flags, "-d", "directory")


def delete_file(parameters: Sequence[str], flags: Flags) -> int:
    """Delete a file of the guest."""
    return _silent(_DELETE_FILE, parameters, flags)


def create_directory(parameters: Sequence[str], flags: Flags) -> int:
    """Make a directory in the guest, and those above it."""
    return _silent(_CREATE_DIRECTORY, parameters, flags)


def delete_directory(parameters: Sequence[str], flags: Flags) -> int:
    """Delete a directory of the guest with all that is in it."""
    return _silent(_DELETE_DIRECTORY, parameters, flags)


def rename(parameters: Sequence[str], flags: Flags) -> int:
    """Give a file or directory of the guest another name; nothing is replaced."""
    return _silent(_RENAME, parameters, flags)


def create_temporary(parameters: Sequence[str], flags: Flags) -> int:
    """Print the path of a new empty file in the guest."""
    with GuestShell(parameters[0], flags) as shell:
        say(text_of(checked(shell.run(_TEMPORARY))).strip())
    return 0


def list_directory(parameters: Sequence[str], flags: Flags) -> int:
    """Print how many entries a directory of the guest has, and their names."""
    with GuestShell(parameters[0], flags) as shell:
        names = text_of(checked(shell.run(_LIST, absolute(parameters[1])))).split("\0")[:-1]
    say("\n".join([f"Directory list: {len(names)}", *sorted(names)]))
    return 0


def absolute(path: str) -> str:
    """Return a guest path that can be found.

    Raises:
        Failure: It is relative: the guest's working directory is nobody's.
    """
    if not path.startswith("/") or "\0" in path:
        raise Failure(NOT_FOUND)
    return path


def checked(outcome: Outcome) -> Outcome:
    """Return an outcome that is a success.

    Raises:
        Failure: In VMware's words for the status.
    """
    if outcome.status:
        raise Failure(STATUSES.get(outcome.status, FILE_ACCESS))
    return outcome


def text_of(outcome: Outcome) -> str:
    """Return what a command said."""
    return outcome.output.decode("utf-8", "surrogateescape")


def _exists(parameters: Sequence[str], flags: Flags, test: str, kind: str) -> int:
    with GuestShell(parameters[0], flags) as shell:
        there = shell.run('[ "$1" "$2" ]', test, parameters[1]).status == 0
    say(f"The {kind} exists." if there else f"The {kind} does not exist.")
    return 0 if there else EXIT_FAILURE


def _silent(script: str, parameters: Sequence[str], flags: Flags) -> int:
    with GuestShell(parameters[0], flags) as shell:
        checked(shell.run(script, *map(absolute, parameters[1:])))
    return 0
