"""Commands as the guest user: login, password, guests that fail half-way."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from fake_agent import in_step, reply
from fake_shell_guest import FLAGS, FakeShellGuest, machine, refused

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.client.guest_shell import GuestShell, Outcome, login_of
from harness.vmrun_qemu.commands import guest_copy, guest_files, guest_programs


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({}, "Anonymous guest operations are not allowed on this virtual machine. "
             "You must call VixVM_LoginInGuest before performing guest operations"),
        ({"-gp": "x"}, "Anonymous guest operations are not allowed on this virtual machine. "
                       "You must call VixVM_LoginInGuest before performing guest operations"),
        ({"-gu": "user"}, "The guest OS does not support empty passwords"),
        ({"-gu": "user", "-gp": ""}, "The guest OS does not support empty passwords"),
        ({"-gu": "user", "-gp": "two\nlines"}, "Invalid user name or password for the guest OS"),
    ],
)  # fmt: skip
def test_an_account_that_is_none(flags: dict[str, str], text: str) -> None:
    with pytest.raises(Failure) as caught:
        login_of(flags)
    assert caught.value.text == text


def test_the_password_goes_in_by_standard_input_only() -> None:
    guest = FakeShellGuest()
    with machine(guest) as vmx, GuestShell(vmx, FLAGS) as shell:
        shell.run("true", "word", given=b"more")
    (command,) = guest.commands
    assert base64.b64decode(command["input-data"]) == b"secret\nmore"
    assert "secret" not in json.dumps([command["path"], command["arg"]])
    assert command["arg"][2:5] == ["vmrun", "user", "user"]
    assert command["arg"][-2:] == ["vmrun", "word"]


@pytest.mark.parametrize(
    ("status", "text"),
    [(4, "Invalid user name or password for the guest OS"), (0, "Invalid user name or password for the guest OS"),
     (3, "The operation is not supported")],
)  # fmt: skip
def test_without_the_sign_of_a_login_nothing_counts(status: int, text: str) -> None:
    with machine(FakeShellGuest(b"", status)) as vmx, GuestShell(vmx, FLAGS) as shell:
        with pytest.raises(Failure) as caught:
            shell.run("true")
        assert caught.value.text == text


def test_a_program_that_a_signal_ended() -> None:
    def killed(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec-status":
            return reply({"exited": True, "signal": 9, "out-data": base64.b64encode(b"+!").decode()})
        return reply({"pid": 7}) if question["execute"] == "guest-exec" else in_step(question)

    with machine(killed) as vmx, GuestShell(vmx, FLAGS) as shell:
        assert shell.run_long("x") == Outcome(137, b"!")


def test_a_guest_that_forbids_commands_says_so() -> None:
    for error in ("Command guest-exec has been disabled", "The command guest-exec has not been found"):
        with machine(refused(error)) as vmx, pytest.raises(Failure, match="The operation is not supported"):
            guest_files.file_exists([vmx, "/x"], FLAGS)


def test_a_guest_that_restarts_while_a_program_runs() -> None:
    def forgets(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec-status":
            return b'{"error": {"desc": "Invalid parameter \'pid\'"}}\n'
        return reply({"pid": 7}) if question["execute"] == "guest-exec" else in_step(question)

    with machine(forgets) as vmx, pytest.raises(Failure, match="The VMware Tools are not running"):
        guest_programs.run_program([vmx, "/bin/x"], FLAGS)


def test_a_program_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def runs(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec-status":
            return reply({"exited": False})
        return reply({"pid": 7}) if question["execute"] == "guest-exec" else in_step(question)

    monkeypatch.setenv("VMRUN_QEMU_PROGRAM_S", "0")
    with machine(runs) as vmx, pytest.raises(Failure, match="A timeout error occurred"):
        guest_programs.run_program([vmx, "/bin/x"], FLAGS)


def test_without_tools_or_without_power_the_login_does_not_matter() -> None:
    with machine(in_step, port_is_open=False) as vmx:
        for verb, parameters in (
            (guest_programs.run_program, ["/bin/x"]),
            (guest_files.file_exists, ["/x"]),
            (guest_copy.to_guest, ["a", "/b"]),
            (guest_programs.list_processes, []),
        ):
            with pytest.raises(Failure, match=f"^The VMware Tools are not running in the virtual machine: {vmx}$"):
                verb([vmx, *parameters], {})
    records.forget(vmx)
    with pytest.raises(Failure, match=f"^The virtual machine is not powered on: {vmx}$"):
        guest_programs.run_program([vmx, "/bin/x"], {})
