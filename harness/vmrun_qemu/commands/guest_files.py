"""The verbs for files and directories of the guest, except the copies.

Each runs a small `sh` script as the guest user.
"""

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
    print_line,
)
from harness.vmrun_qemu.client.guest_shell import GuestShell, Outcome

# The exit statuses of the scripts below, with VMware's messages.
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
# As VIX documents it: missing parents are created too.
_CREATE_DIRECTORY = '[ -e "$1" ] && exit 103; mkdir -p -- "$1" || exit 106'
_RENAME = '[ -e "$1" ] || [ -L "$1" ] || exit 102; [ -e "$2" ] && exit 103; mv -- "$1" "$2" || exit 106'
_LIST = r"""
[ -e "$1" ] || exit 102; [ -d "$1" ] || exit 105; cd -- "$1" && ls >/dev/null || exit 106
for name in * .[!.]* ..?*; do [ -e "$name" ] || [ -L "$name" ] && printf '%s\0' "$name"; done
exit 0
"""
_TEMPORARY = "mktemp /tmp/vmware-XXXXXXXX || exit 106"


def file_exists(parameters: Sequence[str], flags: Flags) -> int:
    """Print whether a file exists; the exit status reports it too."""
    return _exists(parameters, flags, "-f", "file")


def directory_exists(parameters: Sequence[str], flags: Flags) -> int:
    """Print whether a directory exists; the exit status reports it too."""
    return _exists(parameters, flags, "-d", "directory")


def delete_file(parameters: Sequence[str], flags: Flags) -> int:
    """Delete a file of the guest."""
    return _silent(_DELETE_FILE, parameters, flags)


def create_directory(parameters: Sequence[str], flags: Flags) -> int:
    """Create a directory in the guest, and its missing parents."""
    return _silent(_CREATE_DIRECTORY, parameters, flags)


def delete_directory(parameters: Sequence[str], flags: Flags) -> int:
    """Delete a directory of the guest with its content."""
    return _silent(_DELETE_DIRECTORY, parameters, flags)


def rename(parameters: Sequence[str], flags: Flags) -> int:
    """Rename a file or directory of the guest; never replace one."""
    return _silent(_RENAME, parameters, flags)


def create_temporary(parameters: Sequence[str], flags: Flags) -> int:
    """Create an empty file in the guest and print its path."""
    with GuestShell(parameters[0], flags) as shell:
        print_line(text_of(checked(shell.run(_TEMPORARY))).strip())
    return 0


def list_directory(parameters: Sequence[str], flags: Flags) -> int:
    """Print the number of entries of a guest's directory, and their names."""
    with GuestShell(parameters[0], flags) as shell:
        names = text_of(checked(shell.run(_LIST, absolute(parameters[1])))).split("\0")[:-1]
    print_line("\n".join([f"Directory list: {len(names)}", *sorted(names)]))
    return 0


def absolute(path: str) -> str:
    """Return an absolute guest path.

    Raises:
        Failure: It is relative: the agent's working directory is not the user's.
    """
    if not path.startswith("/") or "\0" in path:
        raise Failure(NOT_FOUND)
    return path


def checked(outcome: Outcome) -> Outcome:
    """Return the outcome of a script that succeeded.

    Raises:
        Failure: It failed; the text is VMware's message for the status.
    """
    if outcome.status:
        raise Failure(STATUSES.get(outcome.status, FILE_ACCESS))
    return outcome


def text_of(outcome: Outcome) -> str:
    """Return the output of a command as text."""
    return outcome.output.decode("utf-8", "surrogateescape")


def _exists(parameters: Sequence[str], flags: Flags, test: str, kind: str) -> int:
    with GuestShell(parameters[0], flags) as shell:
        there = shell.run('[ "$1" "$2" ]', test, parameters[1]).status == 0
    print_line(f"The {kind} exists." if there else f"The {kind} does not exist.")
    return 0 if there else EXIT_FAILURE


def _silent(script: str, parameters: Sequence[str], flags: Flags) -> int:
    with GuestShell(parameters[0], flags) as shell:
        checked(shell.run(script, *map(absolute, parameters[1:])))
    return 0
