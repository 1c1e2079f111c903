"""Failures of `vmrun`: each class has a meaning and a remedy.

`harness.vmrun.error_table` selects the class. The first line of its docstring is part of the error text.

VmrunError
├── VmrunTimeout, VmrunUnavailable, UnexpectedAnswer      the call itself went wrong
├── VmNotFound, VmUnreadable, VmEncrypted                  the VMX
├── VmNotPoweredOn, VmAlreadyRunning, VmPaused, VmBusy     the machine's state
├── OperationCanceled                                      a question or error box without an answer
├── ToolsNotRunning, NoGuestAddress, GuestLoginFailed      the guest
├── FileNotFound, FileExists, WrongKindOfFile, FileRefused  files of the guest or of the host
├── ProgramNotRun, NoSuchProcess                           programs of the guest
├── SnapshotExists, SnapshotMissing, SnapshotAmbiguous, SnapshotUnfit, ClonesDepend
├── NoDisplay, PortInUse, PermissionDenied, HostServiceMissing, HostTypeMissing, HostDiskFull, NotSupported
└── InvalidArgument, UsagePrinted, UnknownFailure
"""

from __future__ import annotations

from typing import ClassVar

from harness.core.errors import VmrunError


class MappedError(VmrunError):
    """A known failure of `vmrun`.

    Attributes:
        vix: Its number in the VIX message catalogue, if it has one.
        advice: The remedy.
    """

    vix: ClassVar[int | None] = None
    advice: ClassVar[str] = ""


class VmrunTimeout(MappedError):
    """`vmrun` did not end in time, and was ended."""

    advice = "look for a question in the Workstation window, and for left-over vmrun processes and .lck directories"


class VmrunUnavailable(MappedError):
    """`vmrun` could not be started at all."""

    advice = "run `lab doctor` to see which vmrun was taken and why"


class UnexpectedAnswer(MappedError):
    """`vmrun` succeeded with an output of unknown form."""

    advice = "run the same command by hand; send its output with a bug report"


class VmNotFound(MappedError):
    """The VMX file does not exist."""

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
    """The machine runs, and the operation requires it to be off."""

    vix = 3007
    advice = "stop the machine first"


class VmPaused(MappedError):
    """The machine is paused."""

    advice = "unpause it in Workstation, or by `vmrun unpause`"


class VmBusy(MappedError):
    """Another program has the machine open, or a lock was left behind."""

    vix = 15
    advice = (
        "another session holds this machine: run `lab down`, or close it in Workstation; "
        "remove a left-over .lck directory only when no vmware-vmx process is left"
    )


class PortInUse(MappedError):
    """Another program listens on that port of the host."""

    advice = "set ssh.forward_base_port of the lab file to a port that is free, or to null"


class OperationCanceled(MappedError):
    """VMware showed a question or an error that could not be answered."""

    advice = "read the reason in vmware.log beside the VMX; a question of VMware is answered once in its own window"


class ToolsNotRunning(MappedError):
    """VMware Tools do not answer in the guest."""

    advice = "wait until the guest has booted; the lab itself works over SSH and does not need Tools"


class NoGuestAddress(MappedError):
    """Tools run, and the guest has no address yet."""

    advice = "wait until the guest has an address"


class GuestLoginFailed(MappedError):
    """The guest rejected the user, or the operation requires one."""

    advice = "give the guest user and password; accounts may not exist before cloud-init has made them"


class FileNotFound(MappedError):
    """A file or program does not exist in the guest or host."""

    vix = 4
    advice = "give the full path; there is no search in PATH"


class FileExists(MappedError):
    """A file of that name exists already in the guest or host."""

    vix = 12
    advice = "choose another name, or delete the file first"


class WrongKindOfFile(MappedError):
    """A directory was given for a file, or the other way round."""

    advice = "look at the path in the guest"


class FileRefused(MappedError):
    """A file cannot be read or written in the guest or host."""

    vix = 7
    advice = "check who owns the file and its directory, and whether another program has it open"


class ProgramNotRun(MappedError):
    """The guest could not run the program."""

    vix = 3004
    advice = "run the same program by hand in the guest, as the same user"


class NoSuchProcess(MappedError):
    """The guest has no process of that id."""

    vix = 20003
    advice = "list the processes again: it has ended"


class SnapshotExists(MappedError):
    """A snapshot of that name exists."""

    advice = "delete the snapshot, or choose another name"


class SnapshotMissing(MappedError):
    """No snapshot has that name."""

    vix = 13003
    advice = "list the snapshots of the machine"


class SnapshotAmbiguous(MappedError):
    """Several snapshots have that name, or names that differ in case only."""

    vix = 13017
    advice = "rename or delete one of them in Workstation's snapshot manager"


class SnapshotUnfit(MappedError):
    """The snapshot is one of a running machine, and must not be."""

    vix = 13008
    advice = "take a snapshot while the machine is off"


class ClonesDepend(MappedError):
    """Linked clones use the disks that would be deleted."""

    advice = "delete the clones first"


class NoDisplay(MappedError):
    """A window was requested on a host without a display."""

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
    """A failure with an unknown text."""

    advice = "look at vmware.log beside the VMX; run the same command by hand"
