from __future__ import annotations

from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.core.errors import UsageError
from harness.core.secret import Secret
from harness.system.process import Completed
from harness.vmrun import errors
from harness.vmrun.guest import Guest
from harness.vmrun.guest_arguments import StartOptions, argument_words, exit_status
from harness.vmrun.invocation import GuestLogin
from harness.vmrun.paths import GuestPath, GuestStyle

from .samples import EXE, MINUS_ONE, VMX, windows

LOGIN = GuestLogin("lab", Secret("pa ss"))
CMD = GuestPath(r"C:\Windows\System32\cmd.exe")
SH = GuestPath("/bin/sh")


def cmd(*words: str) -> tuple[str, ...]:
    return (EXE, "-T", "ws", "-gu", "lab", "-gp", "pa ss", *words)


def run_program(*words: str) -> tuple[str, ...]:
    return cmd("runProgramInGuest", VMX, *words)


def guest(run: FakeRun) -> Guest:
    return windows(run).guest(Path(VMX), LOGIN)


@pytest.mark.parametrize(
    ("program", "arguments", "words"),
    [
        (CMD, "/c exit 0", ["/c exit 0"]),
        (CMD, ["/c", "exit 0"], ['/c "exit 0"']),
        (CMD, ["/c", "type", r"C:\a b.txt"], [r'/c type "C:\a b.txt"']),
        (CMD, [], []),
        (CMD, "", []),
        (SH, ["/root/x.sh", "131", "node-131"], ["/root/x.sh", "131", "node-131"]),
        (SH, ["-c", "cd /tmp && ls -l > 'a b'"], ["-c", "cd /tmp && ls -l > 'a b'"]),
        (SH, "-c 'id'", ["-c 'id'"]),
    ],
)
def test_arguments_survive_being_joined(program: GuestPath, arguments: str | list[str], words: list[str]) -> None:
    """cmd.exe on 17.6.4 failed with three words, worked with two.

    Plain words were seen to work on Linux guests.
    """
    run = FakeRun().on(*run_program(str(program), *words))
    assert guest(run).run_program(program, arguments) == 0


@pytest.mark.parametrize("word", ["", 'say "hi"', "$HOME", "`id`", "a\\b", "a\nb"])
def test_an_argument_that_a_shell_may_interpret_is_refused(word: str) -> None:
    run = FakeRun()
    with pytest.raises(UsageError, match="cannot pass this argument") as caught:
        guest(run).run_program(SH, ["-c", word])
    assert "run_script" in caught.value.remedy
    assert run.calls == []


LINE = b"Guest program exited with non-zero exit code: %d\r\n"


@pytest.mark.parametrize(
    ("output", "code", "status"),
    [
        (b"", 0, 0),
        (LINE % 42, 42, 42),  # seen on a Windows host
        (LINE % 42, MINUS_ONE, 42),  # vmrun's own status, as one client says
        (LINE % 42, 0, 42),
        (LINE % 300, 44, 300),  # eight bits of it on a POSIX host
        (LINE % -1073741515, 3221225781, -1073741515),
        (LINE % 255, 255, 255),
        (b"", 42, 42),
    ],
)
def test_the_line_has_the_exit_status_and_without_it_the_number_counts(output: bytes, code: int, status: int) -> None:
    run = FakeRun().on(*run_program(str(SH), "-c", "x"), says=(output, code))
    assert guest(run).run_program(SH, ["-c", "x"]) == status


@pytest.mark.parametrize("code", [MINUS_ONE, 255, 127, 254])
def test_a_silent_failure_of_vmrun_is_no_exit_status(code: int) -> None:
    run = FakeRun().on(*run_program(str(SH)), says=(b"", code))
    with pytest.raises(errors.UnknownFailure):
        guest(run).run_program(SH)


def test_options_have_the_names_of_vmrun() -> None:
    assert StartOptions().options == []
    assert StartOptions(interactive=True, active_window=True).options == ["-activeWindow", "-interactive"]


def test_words_for_a_posix_guest_stay_apart() -> None:
    assert argument_words(GuestStyle.POSIX, ["-c", "id"]) == ["-c", "id"]
    assert argument_words(GuestStyle.WINDOWS, ["/c", "id"]) == ["/c id"]


def test_a_line_that_reports_success_is_refused() -> None:
    done = Completed(("v",), 0, "Guest program exited with non-zero exit code: 0\n", "", 0.1)
    with pytest.raises(ValueError, match="exit code 0"):
        exit_status(done)
    assert exit_status(Completed(("v",), 255, "Error: The file is already in use\n", "", 0.1)) is None
