"""Guest verbs against an agent that is played: logins, words, statuses, and guests that go away half-way."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_agent import in_step, reply, supervised

from harness.vmrun_qemu.base import records as instances
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.client.guest_shell import GuestShell, Outcome, login_of
from harness.vmrun_qemu.commands import guest_copy as guestcopy
from harness.vmrun_qemu.commands import guest_files as guestfiles
from harness.vmrun_qemu.commands import guest_programs as guestprograms

FLAGS = {"-gu": "user", "-gp": "secret"}
VERBS: dict[str, Callable[[Any, Any], int]] = {
    "run": guestprograms.run_program,
    "script": guestprograms.run_script,
    "processes": guestprograms.list_processes,
    "kill": guestprograms.kill_process,
    "exists": guestfiles.file_exists,
    "list": guestfiles.list_directory,
    "delete": guestfiles.delete_file,
    "in": guestcopy.to_guest,
    "out": guestcopy.to_host,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path / "home"))


class FakeShellGuest:
    """An agent whose every command ends with `status` and says `output`, and that keeps one file."""

    def __init__(self, output: bytes = b"+", status: int = 0) -> None:
        self.output = output
        self.status = status
        self.commands: list[dict[str, Any]] = []
        self.file = b""
        self.room = 1 << 30

    def __call__(self, question: dict[str, Any]) -> bytes:
        arguments = question.get("arguments", {})
        match question["execute"]:
            case "guest-exec":
                self.commands.append(arguments)
                return reply({"pid": 7})
            case "guest-exec-status":
                said = base64.b64encode(self.output).decode()
                return reply({"exited": True, "exitcode": self.status, "out-data": said})
            case "guest-file-open":
                return reply(1)
            case "guest-file-write":
                piece = base64.b64decode(arguments["buf-b64"])[: self.room]
                self.file += piece
                return reply({"count": len(piece)})
            case "guest-file-read":
                piece, self.file = self.file[: arguments["count"]], self.file[arguments["count"] :]
                return reply({"count": len(piece), "buf-b64": base64.b64encode(piece).decode(), "eof": not self.file})
            case "guest-file-close":
                return reply({})
        return in_step(question)


@contextmanager
def machine(answer: Callable[[dict[str, Any]], bytes]) -> Iterator[str]:
    with supervised(answer) as record:
        instances.save(record)
        yield record["vmx"]


def refused(error: str) -> Callable[[dict[str, Any]], bytes]:
    def answer(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec":
            return json.dumps({"error": {"desc": error}}).encode() + b"\n"
        return in_step(question)

    return answer


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


@pytest.mark.parametrize(
    ("output", "status", "said", "code"),
    [
        (b"+!", 0, "", 0),
        (b"+!", 42, "Guest program exited with non-zero exit code: 42\n", 42),
        (b"+!", 102, "Guest program exited with non-zero exit code: 102\n", 102),
    ],
)
def test_a_programs_status_is_its_own(
    capsys: pytest.CaptureFixture[str], output: bytes, status: int, said: str, code: int
) -> None:
    with machine(FakeShellGuest(output, status)) as vmx:
        assert guestprograms.run_program([vmx, "/bin/x"], FLAGS) == code
    assert capsys.readouterr().out == said


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
        guestprograms.run_script([vmx, "/bin/x", "text"], FLAGS)
    assert caught.value.text == text


def test_a_program_that_a_signal_ended() -> None:
    def killed(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec-status":
            return reply({"exited": True, "signal": 9, "out-data": base64.b64encode(b"+!").decode()})
        return reply({"pid": 7}) if question["execute"] == "guest-exec" else in_step(question)

    with machine(killed) as vmx, GuestShell(vmx, FLAGS) as shell:
        assert shell.run_long("x") == Outcome(137, b"!")


def test_options_stand_before_the_program_in_any_case_and_order() -> None:
    order = guestprograms.order_of(["-NOWAIT", "-interactive", "-activeWindow", "/bin/x", "-noWait"])
    assert (order.wait, order.interactive, list(order.words)) == (False, True, ["/bin/x", "-noWait"])
    assert guestprograms.order_of([]).wait


def test_lines_of_ps_are_processes_but_for_its_own() -> None:
    text = """\
      1 root                 /sbin/init splash
     22 user [kworker]
nonsense
     44 user ps -eo pid=,user:32=,args=
"""
    assert guestprograms.processes_of(text) == [
        ("1", "root", "/sbin/init splash"),
        ("22", "user", "[kworker]"),
    ]


@pytest.mark.parametrize("words", [["run"], ["run", "-noWait"], ["script", "/bin/sh"], ["kill", "1x"], ["kill", "-9"]])
def test_words_that_make_no_sense(words: list[str]) -> None:
    with machine(FakeShellGuest()) as vmx, pytest.raises(Failure, match="One of the parameters was invalid"):
        VERBS[words[0]]([vmx, *words[1:]], FLAGS)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (102, "A file was not found"),
        (103, "The file already exists"),
        (104, "The object is not a file"),
        (105, "The object is not a directory"),
        (106, "Authentication failure or insufficient permissions in guest operating system"),
        (1, "A file access error occurred on the host or guest operating system"),
    ],
)
def test_a_file_verb_that_failed_says_why(status: int, text: str) -> None:
    with machine(FakeShellGuest(b"+", status)) as vmx, pytest.raises(Failure) as caught:
        guestfiles.delete_file([vmx, "/x"], FLAGS)
    assert caught.value.text == text


def test_a_relative_guest_path_is_found_nowhere_and_not_asked_for() -> None:
    guest = FakeShellGuest()
    with machine(guest) as vmx:
        for verb, words in (("delete", ["x"]), ("list", ["."]), ("out", ["x", "y"])):
            with pytest.raises(Failure, match="A file was not found"):
                VERBS[verb]([vmx, *words], FLAGS)
    assert guest.commands == []


def test_names_are_listed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with machine(FakeShellGuest("+b\0a b\0ü\0".encode())) as vmx:
        guestfiles.list_directory([vmx, "/x"], FLAGS)
    assert capsys.readouterr().out == "Directory list: 3\na b\nb\nü\n"


def test_an_empty_directory_is_a_list_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    with machine(FakeShellGuest()) as vmx:
        guestfiles.list_directory([vmx, "/x"], FLAGS)
    assert capsys.readouterr().out == "Directory list: 0\n"


def test_a_file_goes_and_comes_in_pieces(tmp_path: Path) -> None:
    guest = FakeShellGuest()
    data = bytes(range(256)) * 9000
    (tmp_path / "source").write_bytes(data)
    with machine(guest) as vmx:
        guestcopy.to_guest([vmx, str(tmp_path / "source"), "/x"], FLAGS)
        assert guest.file == data
        guestcopy.to_host([vmx, "/x", str(tmp_path / "back")], FLAGS)
    assert (tmp_path / "back").read_bytes() == data
    assert guest.commands[0]["arg"][4] == "tools"


def test_a_guest_that_is_full_fails_the_copy(tmp_path: Path) -> None:
    guest = FakeShellGuest()
    guest.room = 10
    (tmp_path / "source").write_bytes(bytes(100))
    with machine(guest) as vmx, pytest.raises(Failure, match="A file access error occurred"):
        guestcopy.to_guest([vmx, str(tmp_path / "source"), "/x"], FLAGS)


def test_a_copy_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    class Breaks(FakeShellGuest):
        def __call__(self, question: dict[str, Any]) -> bytes:
            if question["execute"] == "guest-file-read":
                return b'{"error": {"desc": "Input/output error"}}\n'
            return super().__call__(question)

    target = tmp_path / "back"
    target.write_text("old", encoding="utf-8")
    with machine(Breaks()) as vmx, pytest.raises(Failure):
        guestcopy.to_host([vmx, "/x", str(target)], FLAGS)
    assert target.read_text(encoding="utf-8") == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"back", "home"}


def test_a_guest_that_forbids_commands_says_so() -> None:
    for error in ("Command guest-exec has been disabled", "The command guest-exec has not been found"):
        with machine(refused(error)) as vmx, pytest.raises(Failure, match="The operation is not supported"):
            guestfiles.file_exists([vmx, "/x"], FLAGS)


def test_a_guest_that_restarts_while_a_program_runs() -> None:
    def forgets(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec-status":
            return b'{"error": {"desc": "Invalid parameter \'pid\'"}}\n'
        return reply({"pid": 7}) if question["execute"] == "guest-exec" else in_step(question)

    with machine(forgets) as vmx, pytest.raises(Failure, match="The VMware Tools are not running"):
        guestprograms.run_program([vmx, "/bin/x"], FLAGS)


def test_a_program_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def runs(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec-status":
            return reply({"exited": False})
        return reply({"pid": 7}) if question["execute"] == "guest-exec" else in_step(question)

    monkeypatch.setenv("VMRUN_QEMU_PROGRAM_S", "0")
    with machine(runs) as vmx, pytest.raises(Failure, match="A timeout error occurred"):
        guestprograms.run_program([vmx, "/bin/x"], FLAGS)


def test_without_tools_or_without_power_the_login_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.vmrun_qemu.client.guest_shell._ALIVE_S", 0.05)
    with machine(lambda _: b"") as vmx:
        for verb, words in (("run", ["/bin/x"]), ("exists", ["/x"]), ("in", ["a", "/b"]), ("processes", [])):
            with pytest.raises(Failure, match=f"^The VMware Tools are not running in the virtual machine: {vmx}$"):
                VERBS[verb]([vmx, *words], {})
    instances.forget(vmx)
    with pytest.raises(Failure, match=f"^The virtual machine is not powered on: {vmx}$"):
        VERBS["run"]([vmx, "/bin/x"], {})
