"""Failures of `vmrun`: its text decides the class, the class carries the meaning and the remedy.

Texts are those of the VIX message catalogue, as Workstation prints them behind `Error: ` on standard output; `vix` is
the catalogue's number. The table is read from the top: the first pattern that is found in the answer counts.

    VmrunError
    ├── VmrunTimeout, VmrunUnavailable, UnexpectedAnswer      the call itself went wrong
    ├── VmNotFound, VmUnreadable, VmEncrypted                  the VMX
    ├── VmNotPoweredOn, VmAlreadyRunning, VmPaused, VmBusy     the machine's state
    ├── OperationCanceled                                      a question or error box that nobody answered
    ├── ToolsNotRunning, NoGuestAddress, GuestLoginFailed, GuestFileNotFound
    ├── SnapshotExists, SnapshotMissing
    ├── NoDisplay, PermissionDenied, HostServiceMissing, HostTypeMissing, HostDiskFull, NotSupported
    └── InvalidArgument, UsagePrinted, UnknownFailure
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from harness.errors import VmrunError
from harness.process import decode
from harness.vmrun_answers import error_box


class MappedError(VmrunError):
    """A failure of `vmrun` that is known; `vix` is its number in the VIX message catalogue, where it has one."""

    vix: ClassVar[int | None] = None
    advice: ClassVar[str] = ""


class VmrunTimeout(MappedError):
    """`vmrun` did not end in time, and was ended."""

    advice = "look for a question in the Workstation window, and for left-over vmrun processes and .lck directories"


class VmrunUnavailable(MappedError):
    """`vmrun` could not be started at all."""

    advice = "run `lab doctor` to see which vmrun was taken and why"


class UnexpectedAnswer(MappedError):
    """`vmrun` succeeded with a text that fits no known reading."""

    advice = "run the same command by hand; send its output with a bug report"


class VmNotFound(MappedError):
    """There is no such VMX file."""

    vix = 4000
    advice = "create the machine first; check the path"


class VmUnreadable(MappedError):
    """The VMX is malformed, or VMware was rewriting it at that moment."""

    vix = 4002
    advice = "look at the VMX and at vmware.log beside it, or delete the machine with `lab down` and create it again"


class VmEncrypted(MappedError):
    """The machine is encrypted and its password is missing or wrong."""

    advice = "the lab's machines are not encrypted: choose another vm_directory"


class VmNotPoweredOn(MappedError):
    """The machine is off, or suspended."""

    vix = 3006
    advice = "start the machine first"


class VmAlreadyRunning(MappedError):
    """The machine runs, and the operation needs it to be off."""

    vix = 3007
    advice = "stop the machine first"


class VmPaused(MappedError):
    """The machine is paused."""

    advice = "unpause it in Workstation, or by `vmrun unpause`"


class VmBusy(MappedError):
    """Somebody else has the machine open, or a lock was left behind."""

    vix = 15
    advice = (
        "another session holds this machine: run `lab down`, or close it in Workstation; "
        "remove a left-over .lck directory only when no vmware-vmx process is left"
    )


class OperationCanceled(MappedError):
    """VMware showed a question or an error that nobody could answer; `said` has the reason from vmware.log."""

    advice = "the reason is in vmware.log beside the VMX; on Linux run `sudo vmware-modconfig --console --install-all`"


class ToolsNotRunning(MappedError):
    """VMware Tools do not answer in the guest."""

    advice = "wait until the guest has booted; the lab itself works over SSH and does not need Tools"


class NoGuestAddress(MappedError):
    """Tools run, and the guest has no address yet."""

    advice = "wait until the guest has an address"


class GuestLoginFailed(MappedError):
    """The guest refused the user, or the operation needs one."""

    advice = "give the guest user and password; accounts may not exist before cloud-init has made them"


class GuestFileNotFound(MappedError):
    """A file or program does not exist in the guest or on the host."""

    advice = "give the full path; there is no search in PATH"


class SnapshotExists(MappedError):
    """There is a snapshot of that name."""

    advice = "delete the snapshot, or choose another name"


class SnapshotMissing(MappedError):
    """There is no snapshot of that name."""

    vix = 13003
    advice = "list the snapshots of the machine"


class NoDisplay(MappedError):
    """A window was asked for where there is no display."""

    vix = 3043
    advice = "set `hypervisor.display: nogui` in the lab file"


class PermissionDenied(MappedError):
    """The host's user may not do this."""

    vix = 3014
    advice = "use the account that owns the machine; on Windows, from a prompt that was opened as administrator"


class HostServiceMissing(MappedError):
    """VMware's own service does not run, or vmrun cannot reach it."""

    advice = "start it as administrator: `net start VMAuthdService` (Linux: `sudo systemctl restart vmware`)"


class HostTypeMissing(MappedError):
    """The product that `-T` names is not installed."""

    advice = "set `hypervisor.type` in the lab file to `player` where only VMware Player is installed"


class NotSupported(MappedError):
    """This product or this state does not allow the operation."""

    vix = 6
    advice = "VMware Player lacks snapshots and clones, and Linux lacks listHostNetworks; use Workstation Pro"


class InvalidArgument(MappedError):
    """`vmrun` refused a parameter."""

    vix = 3
    advice = "check the values of the lab file that this command was made from"


class HostDiskFull(MappedError):
    """The host's file system is full."""

    vix = 8
    advice = "free space on the drive of vm_directory, or choose another one"


class UsagePrinted(MappedError):
    """`vmrun` did not understand the command line and printed its usage."""

    advice = "this vmrun lacks the command; `lab doctor` shows its version"


class UnknownFailure(MappedError):
    """A failure with a text that is not known here."""

    advice = "look at vmware.log beside the VMX; run the same command by hand"


# A pattern in the answer, and the class that it means.
_TABLE: tuple[tuple[str, type[MappedError]], ...] = (
    (r"Cannot open VM: .*Incorrect password|A password is required|encrypted virtual machine failed", VmEncrypted),
    (r"Cannot open VM: .*cannot be found|Cannot open VM: .*unknown file suffix", VmNotFound),
    (r"Cannot open VM: .*Cannot read the virtual machine configuration file", VmUnreadable),
    (r"The virtual machine is not powered on", VmNotPoweredOn),
    (r"should not be powered on|It is already running", VmAlreadyRunning),
    (r"The virtual machine is paused", VmPaused),
    (r"The file is already in use", VmBusy),
    (r"The operation was cancell?ed", OperationCanceled),
    (r"VMware Tools are not running", ToolsNotRunning),
    (r"Unable to get the IP address", NoGuestAddress),
    (r"no display server|Cannot launch the UI", NoDisplay),
    (r"Service type VIX_SERVICEPROVIDER_\w+ was specified, but not installed", HostTypeMissing),
    (r"The specified version was not found|not supported for the specified parameters", HostTypeMissing),
    (r"Insufficient permissions in the host|You do not have access rights to this file", PermissionDenied),
    (r"vmrun was unable to start|Cannot connect to the virtual machine|Unable to connect to host", HostServiceMissing),
    (r"[Ii]nvalid user name or password|Anonymous guest operations|empty passwords", GuestLoginFailed),
    (r"Authentication failure or insufficient permissions|must be logged in interactively", GuestLoginFailed),
    (r"A file was not found", GuestFileNotFound),
    (r"A snapshot with the name already exists", SnapshotExists),
    (r"The snapshot does not exist|Invalid snapshot name", SnapshotMissing),
    (r"not enough (?:disk )?space|No space left|disk is full", HostDiskFull),
    (r"The operation is not supported|not available on", NotSupported),
    (r"Unrecognized command|^Usage: vmrun|No Vm name provided|^Invalid argument", UsagePrinted),
    (r"[Pp]arameters was invalid|parameters supplied is invalid", InvalidArgument),
)

_ERROR_LINE = re.compile(r"^Error:\s*(.*)$", re.MULTILINE)
_USAGE_LINE = re.compile(r"^Usage: vmrun\b", re.MULTILINE)


def failed(output: str, returncode: int) -> bool:
    """Return whether that is a failure: any exit status but 0, or 0 with a line `Error: …` or the usage text."""
    return returncode != 0 or _ERROR_LINE.search(output) is not None or _USAGE_LINE.search(output) is not None


def classify(output: str) -> type[MappedError]:
    """Return the class of a failed answer."""
    for pattern, kind in _TABLE:
        if re.search(pattern, output, re.MULTILINE):
            return kind
    return UnknownFailure


def failure(verb: str, output: str, returncode: int, *, where: str, log: Path | None = None) -> MappedError:
    """Return the error for a failed answer.

    Where the answer hides its reason (`The operation was canceled`, `Unknown error`), the last error box of
    vmware.log is added to `said`, and the log is the evidence.
    """
    kind = classify(output)
    said = [line for line in output.splitlines() if line.strip()]
    if kind is UsagePrinted:
        said = said[:3]
    evidence: Sequence[str] = ()
    if log is not None and kind in (OperationCanceled, UnknownFailure):
        reason = _reason(log)
        evidence = (str(log),) if log.is_file() else ()
        said += [f"vmware.log: {reason}"] if reason else []
    number = f" (VIX {kind.vix})" if kind.vix is not None else ""
    return kind(
        f"vmrun {verb} failed: {_summary(kind)}{number}; exit {signed(returncode)}",
        remedy=kind.advice,
        where=where,
        said="\n".join(said) or "nothing",
        evidence=evidence,
    )


def signed(returncode: int) -> int:
    """Return the number that vmrun meant: -1 arrives as 255, as 4294967295, and through MSYS shells as 127."""
    if returncode >= 1 << 31:
        return returncode - (1 << 32)
    if returncode == 127:
        return -1
    return returncode - 256 if returncode in (254, 255) else returncode


def _reason(log: Path) -> str:
    try:
        return error_box(decode(log.read_bytes()))
    except OSError:
        return ""


def _summary(kind: type[MappedError]) -> str:
    text = (kind.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return text[0].lower() + text[1:] if not text.startswith(("VMware", "Tools", "VMX")) else text
