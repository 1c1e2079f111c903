"""Failures of `vmrun`: which output is a failure, and its class.

Texts are those of the VIX message catalogue, as Workstation prints them behind `Error: ` on standard output. The first
pattern of the table that matches the output counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.vmrun import errors

# A pattern of the output, and its error class.
_TABLE: tuple[tuple[str, type[errors.MappedError]], ...] = (
    (
        r"Cannot open VM: .*Incorrect password|A password is required|encrypted virtual machine failed",
        errors.VmEncrypted,
    ),
    (r"Cannot open VM: .*cannot be found|Cannot open VM: .*unknown file suffix", errors.VmNotFound),
    (r"Cannot open VM: .*Cannot read the virtual machine configuration file", errors.VmUnreadable),
    (r"The virtual machine is not powered on", errors.VmNotPoweredOn),
    (r"should not be powered on|It is already running", errors.VmAlreadyRunning),
    (r"The virtual machine is paused", errors.VmPaused),
    (r"The file is already in use", errors.VmBusy),
    (r"host port \S+ is already in use", errors.PortInUse),
    (r"The operation was cancell?ed", errors.OperationCanceled),
    (r"VMware Tools are not running", errors.ToolsNotRunning),
    (r"Unable to get the IP address", errors.NoGuestAddress),
    (r"no display server|Cannot launch the UI", errors.NoDisplay),
    (r"Service type VIX_SERVICEPROVIDER_\w+ was specified, but not installed", errors.HostTypeMissing),
    (r"The specified version was not found|not supported for the specified parameters", errors.HostTypeMissing),
    (r"Insufficient permissions in the host|You do not have access rights to this file", errors.PermissionDenied),
    (
        r"vmrun was unable to start|Cannot connect to the virtual machine|Unable to connect to host",
        errors.HostServiceMissing,
    ),
    (r"[Ii]nvalid user name or password|Anonymous guest operations|empty passwords", errors.GuestLoginFailed),
    (r"Authentication failure or insufficient permissions|must be logged in interactively", errors.GuestLoginFailed),
    (r"A file was not found", errors.FileNotFound),
    (r"The file already exists", errors.FileExists),
    (r"The object is not a (?:file|directory)", errors.WrongKindOfFile),
    (r"A file access error occurred", errors.FileRefused),
    (r"A program could not run on the guest", errors.ProgramNotRun),
    (r"No such process", errors.NoSuchProcess),
    (r"A snapshot with the name already exists", errors.SnapshotExists),
    (r"The snapshot does not exist|Invalid snapshot name", errors.SnapshotMissing),
    (r"does not uniquely identify one snapshot", errors.SnapshotAmbiguous),
    (r"has not changed since the last snapshot operation", errors.SnapshotUnfit),
    (r"One or more of the disks are busy", errors.ClonesDepend),
    (r"not enough (?:disk )?space|No space left|disk is full", errors.HostDiskFull),
    (r"The operation is not supported|not available on", errors.NotSupported),
    (r"Unrecognized command|^Usage: vmrun|No Vm name provided|^Invalid argument", errors.UsagePrinted),
    (r"[Pp]arameters was invalid|parameters supplied is invalid", errors.InvalidArgument),
)

_ERROR_LINE = re.compile(r"^Error:\s*(.*)$", re.MULTILINE)
_USAGE_LINE = re.compile(r"^Usage: vmrun\b", re.MULTILINE)
_REASON_IN_LOG = (errors.OperationCanceled, errors.UnknownFailure)
_USAGE_LINES = 3


def is_failure(output: str, returncode: int) -> bool:
    """Return whether a result is a failure.

    It is one with any exit status but 0, and with 0 if a line is `Error: …` or the usage text is printed.
    """
    return returncode != 0 or _ERROR_LINE.search(output) is not None or _USAGE_LINE.search(output) is not None


def classify(output: str) -> type[errors.MappedError]:
    """Return the error class of a failed output."""
    for pattern, kind in _TABLE:
        if re.search(pattern, output, re.MULTILINE):
            return kind
    return errors.UnknownFailure


def reason_is_in_log(output: str) -> bool:
    """Return whether only vmware.log has the reason of a failure."""
    return classify(output) in _REASON_IN_LOG


def error_of(
    verb: str,
    output: str,
    returncode: int,
    *,
    where: str,
    reason: str = "",
    more: Sequence[str] = (),
    evidence: Sequence[str] = (),
) -> errors.MappedError:
    """Return the error for a failed result.

    Args:
        reason: The reason in vmware.log, if the output does not contain it.
        more: Lines that explain it, from the files beside the VMX.
    """
    kind = classify(output)
    shown = [line for line in output.splitlines() if line.strip()]
    if kind is errors.UsagePrinted:
        shown = shown[:_USAGE_LINES]
    number = f" (VIX {kind.vix})" if kind.vix is not None else ""
    return kind(
        f"vmrun {verb} failed: {_summary(kind)}{number}; exit {signed_status(returncode)}"
        + (f"; vmware.log: {reason}" if reason else ""),
        remedy=kind.advice,
        where=where,
        detail="\n".join([*shown, *more]) or "nothing",
        evidence=evidence,
    )


def signed_status(returncode: int) -> int:
    """Return the exit status that vmrun meant.

    -1 arrives as 255, as 4294967295, and through MSYS shells as 127.
    """
    if returncode >= 1 << 31:
        return returncode - (1 << 32)
    if returncode == 127:
        return -1
    return returncode - 256 if returncode in (254, 255) else returncode


def _summary(kind: type[errors.MappedError]) -> str:
    text = (kind.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return text[0].lower() + text[1:] if not text.startswith(("VMware", "Tools", "VMX")) else text
