"""Programs of the guest: options, exit status, list of processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_shell_guest import FLAGS, FakeShellGuest, machine

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import guest_programs


@pytest.mark.parametrize(
    ("output", "status", "printed", "code"),
    [
        (b"+!", 0, "", 0),
        (b"+!", 42, "Guest program exited with non-zero exit code: 42\n", 42),
        (b"+!", 102, "Guest program exited with non-zero exit code: 102\n", 102),
    ],
)
def test_a_programs_status_is_its_own(
    capsys: pytest.CaptureFixture[str], output: bytes, status: int, printed: str, code: int
) -> None:
    with machine(FakeShellGuest(output, status)) as vmx:
        assert guest_programs.run_program([vmx, "/bin/x"], FLAGS) == code
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (102, "A file was not found"),
        (107, "The specified guest user must be logged in interactively to perform this operation"),
        (108, "A program could not run on the guest operating system"),
        (1, "A program could not run on the guest operating system"),
    ],
)
def test_a_program_that_was_not_started_has_no_status(status: int, text: str) -> None:
    with machine(FakeShellGuest(b"+", status)) as vmx, pytest.raises(Failure) as caught:
        guest_programs.run_script([vmx, "/bin/x", "text"], FLAGS)
    assert caught.value.text == text


def test_options_stand_before_the_program_in_any_case_and_order() -> None:
    request = guest_programs.parse_request(["-NOWAIT", "-interactive", "-activeWindow", "/bin/x", "-noWait"])
    assert (request.wait, request.interactive, list(request.words)) == (False, True, ["/bin/x", "-noWait"])
    assert guest_programs.parse_request([]).wait


def test_lines_of_ps_are_processes_but_for_its_own() -> None:
    text = """\
      1 root                 /sbin/init splash
     22 user [kworker]
nonsense
     44 user ps -eo pid=,user:32=,args=
"""
    assert guest_programs.processes_of(text) == [
        ("1", "root", "/sbin/init splash"),
        ("22", "user", "[kworker]"),
    ]


@pytest.mark.parametrize(
    ("verb", "parameters"),
    [
        (guest_programs.run_program, []),
        (guest_programs.run_program, ["-noWait"]),
        (guest_programs.run_script, ["/bin/sh"]),
        (guest_programs.kill_process, ["1x"]),
        (guest_programs.kill_process, ["-9"]),
    ],
)
def test_parameters_that_make_no_sense(verb: Callable[..., int], parameters: list[str]) -> None:
    with machine(FakeShellGuest()) as vmx, pytest.raises(Failure, match="One of the parameters was invalid"):
        verb([vmx, *parameters], FLAGS)
