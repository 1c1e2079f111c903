from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.text import decode
from harness.vmrun import errors
from harness.vmrun.error_table import classify, is_failure, signed_status

TEXTS = [
    (r"Error: Cannot open VM: C:\a.vmx, The virtual machine cannot be found", errors.VmNotFound),
    (r"Error: Cannot open VM: hard, unknown file suffix", errors.VmNotFound),
    (r"Error: Cannot open VM: C:\a.vmx, Cannot read the virtual machine configuration file", errors.VmUnreadable),
    (r"Error: Cannot open VM: C:\a.vmx, Incorrect password", errors.VmEncrypted),
    ("Error: A password is required for this operation", errors.VmEncrypted),
    ("Error: Authentication for encrypted virtual machine failed", errors.VmEncrypted),
    (r"Error: The virtual machine is not powered on: C:\a.vmx", errors.VmNotPoweredOn),
    ("Error: The virtual machine should not be powered on. It is already running.", errors.VmAlreadyRunning),
    (r"Error: The virtual machine is paused: C:\a.vmx", errors.VmPaused),
    ("Error: The file is already in use", errors.VmBusy),
    ("Error: The operation was canceled", errors.OperationCanceled),
    (r"Error: The VMware Tools are not running in the virtual machine: C:\a.vmx", errors.ToolsNotRunning),
    ("Error: VMware Tools are not running in the guest", errors.ToolsNotRunning),
    ("Error: Unable to get the IP address", errors.NoGuestAddress),
    (
        "Error: Cannot launch the UI because no display server is present in the current environment",
        errors.NoDisplay,
    ),
    ("Error: Insufficient permissions in the host operating system", errors.PermissionDenied),
    ("Error: You do not have access rights to this file", errors.PermissionDenied),
    ("Error: Invalid user name or password for the guest OS", errors.GuestLoginFailed),
    (
        "Error: Anonymous guest operations are not allowed on this virtual machine. You must call "
        "VixVM_LoginInGuest before performing guest operations",
        errors.GuestLoginFailed,
    ),
    (
        "Unable to connect to host.\nError: Service type VIX_SERVICEPROVIDER_VMWARE_WORKSTATION was specified, "
        "but not installed",
        errors.HostTypeMissing,
    ),
    (
        "Unable to connect to host.\nError: The operation is not supported for the specified parameters",
        errors.HostTypeMissing,
    ),
    ("Unable to connect to host.\nError: The specified version was not found", errors.HostTypeMissing),
    ("Unable to connect to host.\nError: Unknown", errors.HostServiceMissing),
    (
        "Error: vmrun was unable to start. Please make sure that vmrun is installed correctly and that you have "
        "enough resources available on your system.",
        errors.HostServiceMissing,
    ),
    ("Error: A snapshot with the name already exists", errors.SnapshotExists),
    ("Error: The snapshot does not exist", errors.SnapshotMissing),
    ("Error: Invalid snapshot name 'nope'\n", errors.SnapshotMissing),
    ("Error: The name does not uniquely identify one snapshot", errors.SnapshotAmbiguous),
    (
        "Error: The state of the virtual machine has not changed since the last snapshot operation",
        errors.SnapshotUnfit,
    ),
    ("Error: One or more of the disks are busy: /vms/clone/clone.vmx", errors.ClonesDepend),
    ("Error: The file already exists", errors.FileExists),
    ("Error: The object is not a file", errors.WrongKindOfFile),
    ("Error: The object is not a directory", errors.WrongKindOfFile),
    ("Error: A file access error occurred on the host or guest operating system", errors.FileRefused),
    ("Error: A program could not run on the guest operating system", errors.ProgramNotRun),
    ("Error: No such process", errors.NoSuchProcess),
    ("Error: The operation is not supported", errors.NotSupported),
    ("Error: One of the parameters was invalid", errors.InvalidArgument),
    ("Error: Unrecognized command: defineNetwork", errors.UsagePrinted),
    ("Error: A file was not found", errors.FileNotFound),
    ("Error: There is not enough space on the file system", errors.HostDiskFull),
    ("Error: Unknown error", errors.UnknownFailure),
    ("", errors.UnknownFailure),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_each_text_means_one_class(text: str, kind: type[errors.MappedError]) -> None:
    assert classify(text) is kind


@pytest.mark.parametrize(
    ("seen", "meant"),
    [(255, -1), (4294967295, -1), (127, -1), (254, -2), (4294967294, -2), (0, 0), (1, 1), (42, 42), (-1, -1)],
)
def test_exit_statuses_are_read_as_vmrun_meant_them(seen: int, meant: int) -> None:
    assert signed_status(seen) == meant


def test_an_error_in_the_middle_of_a_line_is_no_failure() -> None:
    assert not is_failure("Total running VMs: 1\nC:\\Error: x\\a.vmx\n", 0)
    assert is_failure("Total\nError: x\n", 0)


@settings(deadline=None)
@given(st.binary())
def test_any_failure_has_a_class_with_a_remedy(data: bytes) -> None:
    assert classify(decode(data)).advice
