"""The messages and exit statuses of VMware's `vmrun`, as `Failure` exceptions.

The texts are those of the VIX message catalogue; `vmrun` prints `Error: <text>` on standard output and exits with -1,
which is 255 here.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping

# The options before the verb: `-T`, `-gu`, … with their values.
Flags = Mapping[str, str]

EXIT_FAILURE = 255  # -1
EXIT_TOOLS_UNKNOWN = 254  # -2: `checkToolsState` of a VM whose Tools were never seen

CANCELED = "The operation was canceled"
UNKNOWN = "Unknown error"
ENCRYPTED = "A password is required for this operation"
IN_USE = "The file is already in use"
NO_DISPLAY = "Cannot launch the UI because no display server is present in the current environment"
ALREADY_RUNNING = "The virtual machine should not be powered on. It is already running."
NO_ADDRESS = "Unable to get the IP address"
INVALID_PARAMETER = "One of the parameters was invalid"
SNAPSHOT_EXISTS = "A snapshot with the name already exists"
SNAPSHOT_MISSING = "The snapshot does not exist"
NOT_CHANGED = "The state of the virtual machine has not changed since the last snapshot operation"
UP_TO_DATE = "The virtual machine is already up to date"
MEMORY_ON_INDEPENDENT = (
    "Failed to take a memory snapshot because the virtual machine is configured with independent disks"
)
SNAPSHOT_INCONSISTENT = "The snapshot files are in an inconsistent state"
NAME_NOT_UNIQUE = "The name does not uniquely identify one snapshot"
DISKS_BUSY = "One or more of the disks are busy"
NOT_SUPPORTED = "The operation is not supported"
FILE_EXISTS = "The file already exists"
NOT_FOUND = "A file was not found"
FILE_ACCESS = "A file access error occurred on the host or guest operating system"
DISK_FULL = "There is not enough space in the file system for the selected operation"
NO_PERMISSION = "Insufficient permissions in the host operating system"
ANONYMOUS = (
    "Anonymous guest operations are not allowed on this virtual machine. "
    "You must call VixVM_LoginInGuest before performing guest operations"
)
BAD_LOGIN = "Invalid user name or password for the guest OS"
EMPTY_LOGIN = "The guest OS does not support empty passwords"
NOT_INTERACTIVE = "The specified guest user must be logged in interactively to perform this operation"
NO_GUEST_PERMISSION = "Authentication failure or insufficient permissions in guest operating system"
CANNOT_RUN = "A program could not run on the guest operating system"
NO_DEVICE = "The specified device was not found"
NO_TOOLS_IMAGE = "No VMware Tools image is available for this guest operating system"
NOT_A_FILE = "The object is not a file"
NOT_A_DIRECTORY = "The object is not a directory"
NO_SUCH_PROCESS = "No such process"
TOOLS_TIMEOUT = "A timeout error occurred while waiting for VMware Tools"


def print_line(text: str) -> None:
    """Print one line on standard output and flush it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Failure(Exception):
    """A failed command: message and exit status.

    `text` is printed after `Error: `.
    """

    def __init__(self, text: str, code: int = EXIT_FAILURE) -> None:
        self.text = text
        self.code = code
        super().__init__(text)


class PowerOnFailure(Failure):
    """A VM could not be powered on.

    `reason` goes to its `vmware.log`, under `message_id`.
    """

    def __init__(self, reason: str, text: str = CANCELED, *, message_id: str = "msg.vmrunqemu") -> None:
        self.reason = reason
        self.message_id = message_id
        super().__init__(text)


def of_os_error(error: OSError) -> str:
    """Return VMware's message for an error of the operating system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK_FULL
    if isinstance(error, PermissionError):
        return NO_PERMISSION
    return f"{FILE_ACCESS}: {error}"


def cannot_open(path: str, why: str) -> Failure:
    """Return the failure of a VM path without a usable VMX."""
    return Failure(f"Cannot open VM: {path}, {why}")


def not_found(path: str) -> Failure:
    """Return the failure of a VMX that does not exist (VIX 4000)."""
    return cannot_open(path, "The virtual machine cannot be found")


def unreadable(path: str) -> Failure:
    """Return the failure of a VMX that cannot be parsed (VIX 4002)."""
    return cannot_open(path, "Cannot read the virtual machine configuration file")


def not_powered_on(path: str) -> Failure:
    """Return the failure of an operation on a stopped VM (VIX 3006)."""
    return Failure(f"The virtual machine is not powered on: {path}")


def paused(path: str) -> Failure:
    """Return the failure of an operation on a paused VM."""
    return Failure(f"The virtual machine is paused: {path}")


def tools_not_running(path: str) -> Failure:
    """Return the failure of a guest operation without Tools."""
    return Failure(f"The VMware Tools are not running in the virtual machine: {path}")
