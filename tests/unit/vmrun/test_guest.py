from __future__ import annotations

from pathlib import Path

import pytest
from fake_run import FakeRun, timed_out

from harness.core.deadline import Deadline
from harness.core.secret import Secret
from harness.vmrun import errors
from harness.vmrun.guest import Guest
from harness.vmrun.guest_arguments import StartOptions
from harness.vmrun.invocation import GuestLogin
from harness.vmrun.parse_guest import GuestProcess
from harness.vmrun.paths import GuestPath

from .samples import EXE, MINUS_ONE, VMX, windows

LOGIN = GuestLogin("lab", Secret("pa ss"))
CMD = GuestPath(r"C:\Windows\System32\cmd.exe")
SH = GuestPath("/bin/sh")


LINE = b"Guest program exited with non-zero exit code: %d\r\n"


def cmd(*words: str) -> tuple[str, ...]:
    return (EXE, "-T", "ws", "-gu", "lab", "-gp", "pa ss", *words)


def run_program(*words: str) -> tuple[str, ...]:
    return cmd("runProgramInGuest", VMX, *words)


def guest(run: FakeRun) -> Guest:
    return windows(run).guest(Path(VMX), LOGIN)


# -- programs ---------------------------------------------------------------------------------------------------------


def test_how_a_program_is_started() -> None:
    run = FakeRun().on(*run_program("-activeWindow", "-interactive", str(CMD)))
    assert guest(run).run_program(CMD, start=StartOptions(interactive=True, active_window=True)) == 0
    run = FakeRun().on(*run_program("-noWait", "-interactive", str(CMD), "/c pause"))
    guest(run).start_program(CMD, "/c pause", start=StartOptions(interactive=True))
    assert len(run.calls) == 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Error: A file was not found", errors.FileNotFound),
        ("Error: Invalid user name or password for the guest OS", errors.GuestLoginFailed),
        (f"Error: The virtual machine is paused: {VMX}", errors.VmPaused),
        (f"Error: The VMware Tools are not running in the virtual machine: {VMX}", errors.ToolsNotRunning),
        (
            "Error: The specified guest user must be logged in interactively to perform this operation",
            errors.GuestLoginFailed,
        ),
        ("what is this", errors.UnknownFailure),
    ],
)
@pytest.mark.parametrize("code", [MINUS_ONE, 255, 1])
def test_failures_of_a_guest_operation(text: str, kind: type[errors.MappedError], code: int) -> None:
    run = FakeRun().on(*run_program(str(SH)), says=(f"{text}\r\n".encode(), code))
    with pytest.raises(kind) as caught:
        guest(run).run_program(SH)
    assert caught.value.where == VMX
    assert "pa ss" not in str(caught.value)


def test_a_failure_with_the_status_of_a_success_is_none() -> None:
    run = FakeRun().on(*run_program(str(SH)), says=b"Error: A file was not found\r\n")
    with pytest.raises(errors.FileNotFound):
        guest(run).run_program(SH)


def test_a_failure_that_says_it_was_none() -> None:
    run = FakeRun().on(*run_program(str(SH)), says=(LINE % 0, 1))
    with pytest.raises(errors.UnexpectedAnswer, match="exit code 0"):
        guest(run).run_program(SH)


def test_a_program_is_waited_for_until_the_deadline() -> None:
    run = FakeRun().on(*run_program(str(SH)), says=timed_out())
    with pytest.raises(errors.VmrunTimeout):
        guest(run).run_program(SH, deadline=Deadline(20, run.clock))
    assert run.timeouts == [20]


def test_scripts() -> None:
    text = 'echo "two words" > /tmp/x; exit 3'
    run = FakeRun().on(*cmd("runScriptInGuest", VMX, "/bin/sh", text), says=(LINE % 3, 3))
    assert guest(run).run_script(SH, text) == 3
    run = FakeRun().on(*cmd("runScriptInGuest", VMX, "-interactive", "", "dir"))
    assert guest(run).run_script(None, "dir", start=StartOptions(interactive=True)) == 0


# -- processes -------------------------------------------------------------------------------------------------------


def test_processes() -> None:
    text = (
        "Process list: 3\r\npid=1, owner=root, cmd=/sbin/init splash\r\n"
        "pid=4711, owner=NT AUTHORITY\\SYSTEM, cmd=C:\\a, b.exe, x=1\r\npid=5, owner=, cmd=\r\n"
    )
    run = FakeRun().on(*cmd("listProcessesInGuest", VMX), says=text)
    assert guest(run).list_processes() == (
        GuestProcess(1, "root", "/sbin/init splash"),
        GuestProcess(4711, r"NT AUTHORITY\SYSTEM", r"C:\a, b.exe, x=1"),
        GuestProcess(5, "", ""),
    )


def test_a_command_of_several_lines_is_one() -> None:
    text = "Process list: 2\npid=1, owner=a, cmd=sh -c true\nfalse\npid=2, owner=b, cmd=x\n"
    run = FakeRun().on(*cmd("listProcessesInGuest", VMX), says=text)
    assert [process.command for process in guest(run).list_processes()] == ["sh -c true\nfalse", "x"]


@pytest.mark.parametrize("text", ["", "pid=1, owner=root, cmd=x", "Process list: 2\npid=1, owner=root, cmd=x\n"])
def test_a_process_list_that_cannot_be_read(text: str) -> None:
    with pytest.raises(errors.UnexpectedAnswer):
        guest(FakeRun().on(*cmd("listProcessesInGuest", VMX), says=text)).list_processes()


def test_ending_a_process() -> None:
    run = FakeRun().on(*cmd("killProcessInGuest", VMX, "42"))
    guest(run).kill_process(42)
    run = FakeRun().on(*cmd("killProcessInGuest", VMX, "42"), says=(b"Error: No such process\r\n", MINUS_ONE))
    with pytest.raises(errors.NoSuchProcess):
        guest(run).kill_process(42)


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 255, MINUS_ONE])
def test_the_text_decides_about_existence_whatever_the_status(code: int) -> None:
    path = GuestPath("/etc/a b")
    run = FakeRun().on(*cmd("fileExistsInGuest", VMX, "/etc/a b"), says=(b"The file does not exist.\r\n", code))
    assert guest(run).file_exists(path) is False
    run = FakeRun().on(*cmd("directoryExistsInGuest", VMX, "/etc/a b"), says=(b"The directory exists.\r\n", code))
    assert guest(run).directory_exists(path) is True


def test_what_cannot_be_looked_at_does_not_count_as_absent() -> None:
    argv = cmd("fileExistsInGuest", VMX, "/etc/x")
    output = f"Error: The VMware Tools are not running in the virtual machine: {VMX}\r\n".encode()
    with pytest.raises(errors.ToolsNotRunning):
        guest(FakeRun().on(*argv, says=(output, MINUS_ONE))).file_exists(GuestPath("/etc/x"))
    with pytest.raises(errors.UnexpectedAnswer):
        guest(FakeRun().on(*argv, says=(b"", 1))).file_exists(GuestPath("/etc/x"))


def test_changes_of_files() -> None:
    run = FakeRun()
    run.on(*cmd("deleteFileInGuest", VMX, "/tmp/a")).on(*cmd("renameFileInGuest", VMX, "/tmp/a", "/tmp/b"))
    run.on(*cmd("createDirectoryInGuest", VMX, "/tmp/d")).on(*cmd("deleteDirectoryInGuest", VMX, "/tmp/d"))
    target = guest(run)
    target.delete_file(GuestPath("/tmp/a"))
    target.rename_file(GuestPath("/tmp/a"), GuestPath("/tmp/b"))
    target.create_directory(GuestPath("/tmp/d"))
    target.delete_directory(GuestPath("/tmp/d"))
    assert len(run.calls) == 4
    run = FakeRun().on(*cmd("createDirectoryInGuest", VMX, "/tmp"), says=("Error: The file already exists\n", 255))
    with pytest.raises(errors.FileExists):
        guest(run).create_directory(GuestPath("/tmp"))


@pytest.mark.parametrize("head", ["Directory list: 2", "Directory list: 1", "some other words"])
def test_names_below_a_head_whose_words_are_not_certain(head: str) -> None:
    run = FakeRun().on(*cmd("listDirectoryInGuest", VMX, "/x"), says=f"{head}\r\na b\r\nError: c\r\n")
    assert guest(run).list_directory(GuestPath("/x")) == ("a b", "Error: c")


def test_a_directory_without_names_and_one_that_is_cut_short() -> None:
    argv = cmd("listDirectoryInGuest", VMX, "/x")
    assert guest(FakeRun().on(*argv, says=b"Directory list: 0\r\n")).list_directory(GuestPath("/x")) == ()
    for says in (b"", b"Directory list: 3\r\na\r\n"):
        with pytest.raises(errors.UnexpectedAnswer):
            guest(FakeRun().on(*argv, says=says)).list_directory(GuestPath("/x"))
    with pytest.raises(errors.FileNotFound):
        guest(FakeRun().on(*argv, says=b"Error: A file was not found\r\n")).list_directory(GuestPath("/x"))


def test_a_temporary_file_is_where_the_guest_says() -> None:
    argv = cmd("CreateTempfileInGuest", VMX)
    output = b"C:\\Users\\lab\\AppData\\Local\\Temp\\vmware12\r\n"
    assert guest(FakeRun().on(*argv, says=output)).create_temporary_file().name == "vmware12"
    with pytest.raises(errors.UnexpectedAnswer):
        guest(FakeRun().on(*argv, says=b"relative\r\n")).create_temporary_file()


def test_copies_have_full_paths_on_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    there = str(tmp_path / "a.txt")
    run = FakeRun().on(*cmd("CopyFileFromHostToGuest", VMX, there, "/tmp/a"))
    guest(run).copy_to_guest(Path("d/../a.txt"), GuestPath("/tmp/a"))
    argv = cmd("CopyFileFromGuestToHost", VMX, "/tmp/a", there)
    with pytest.raises(errors.UnexpectedAnswer, match="there is no"):
        guest(FakeRun().on(*argv)).copy_from_guest(GuestPath("/tmp/a"), Path("a.txt"))
    Path(there).write_text("old", encoding="utf-8")
    with pytest.raises(errors.UnexpectedAnswer, match="there is no"):
        guest(FakeRun().on(*argv)).copy_from_guest(GuestPath("/tmp/a"), Path("a.txt"))
    assert Path(there).read_text(encoding="utf-8") == "old"
    run = FakeRun().on(*argv, then=lambda: Path(there).write_text("x", encoding="utf-8"))
    guest(run).copy_from_guest(GuestPath("/tmp/a"), Path("a.txt"))
    assert run.timeouts == [1800]
