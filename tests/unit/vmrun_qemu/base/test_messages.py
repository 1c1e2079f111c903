"""VMware's messages for errors of the operating system."""

from __future__ import annotations

import errno

import pytest

from harness.vmrun_qemu.base import messages
from harness.vmrun_qemu.base.messages import EXIT_FAILURE, Failure, PowerOnFailure, of_os_error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "full"), messages.DISK_FULL),
        (OSError(errno.EDQUOT, "quota"), messages.DISK_FULL),
        (PermissionError(errno.EACCES, "denied"), messages.NO_PERMISSION),
        (OSError(errno.EIO, "broken"), f"{messages.FILE_ACCESS}: [Errno {errno.EIO}] broken"),
    ],
)
def test_an_error_of_the_operating_system_has_a_message(error: OSError, text: str) -> None:
    assert of_os_error(error) == text


def test_a_failure_carries_its_exit_status() -> None:
    assert (Failure("x").code, Failure("x", 254).code) == (EXIT_FAILURE, 254)


def test_a_power_on_failure_keeps_its_reason_for_the_log() -> None:
    failure = PowerOnFailure("no such disk")
    assert (failure.text, failure.reason) == ("The operation was canceled", "no such disk")


def test_a_message_names_the_vm() -> None:
    for failure in (messages.not_found, messages.unreadable, messages.not_powered_on, messages.paused):
        assert "/vms/a.vmx" in failure("/vms/a.vmx").text


def test_a_line_is_printed_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    messages.print_line("one")
    assert capsys.readouterr().out == "one\n"
