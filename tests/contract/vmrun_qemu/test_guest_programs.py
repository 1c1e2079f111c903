"""Programs in a real guest: owner, exit status, output."""

from __future__ import annotations

import time

import pytest
from guest_lab import PASSWORD, USER, RealGuest
from qemu_lab import eventually

from harness.vmrun_qemu.base.messages import ANONYMOUS

BAD_LOGIN = (255, "Error: Invalid user name or password for the guest OS\n")
NOT_FOUND = (255, "Error: A file was not found\n")


def test_the_exit_status_comes_back_with_its_line_and_the_output_does_not(real_guest: RealGuest) -> None:
    assert real_guest("runProgramInGuest", "/bin/sh", "-c", "echo heard; echo too >&2; exit 42") == (
        42,
        "Guest program exited with non-zero exit code: 42\n",
    )
    assert real_guest("runProgramInGuest", "/bin/true") == (0, "")


def test_a_program_runs_as_the_guest_user_with_its_words_as_they_are(real_guest: RealGuest) -> None:
    script = 'id -un > /tmp/who; pwd >> /tmp/who; echo "$HOME" >> /tmp/who; printf "<%s>" "$@" >> /tmp/who'
    real_guest.ok(
        "runprograminguest", "/bin/sh", "-c", script, "name", "two words", "", "$HOME", "-gu", 'quote " back \\'
    )
    wanted = f'{USER}\n/\n/home/{USER}\n<two words><><$HOME><-gu><quote " back \\>'
    assert real_guest.root("cat /tmp/who") == wanted
    assert real_guest.root("stat -c '%U %G' /tmp/who").split() == [USER, USER]


# In the place of the program that checks passwords: it notes every process that lives meanwhile.
WATCHING = """#!/bin/sh
cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null >> /tmp/seen
exec /usr/sbin/unix_chkpwd.real "$@"
"""


def test_no_password_is_in_the_guests_process_list(real_guest: RealGuest) -> None:
    checker = "/usr/sbin/unix_chkpwd"
    real_guest.root(f"mv {checker} {checker}.real && cat > {checker} && chmod 755 {checker}", WATCHING)
    try:
        real_guest.ok("runProgramInGuest", "/bin/true")
    finally:
        real_guest.root(f"mv {checker}.real {checker}")
    seen = real_guest.root("cat /tmp/seen")
    assert f"{USER}\0nonull" in seen  # the check itself was among the processes
    assert PASSWORD not in seen


@pytest.mark.parametrize(
    ("user", "password"),
    [(USER, "wrong"), (USER, PASSWORD + " "), ("nobodyhere", "x"), ("nopassword", "x"), ("expired", "expired")],
)
def test_a_login_that_the_guest_refuses_runs_nothing(real_guest: RealGuest, user: str, password: str) -> None:
    assert real_guest.as_user(user, password, "runProgramInGuest", "/bin/touch", "/tmp/not-here") == BAD_LOGIN
    assert real_guest.as_user(user, password, "fileExistsInGuest", "/etc/passwd") == BAD_LOGIN
    assert real_guest.root("ls /tmp/not-here 2>&1 || true").startswith("ls:")


def test_nobody_and_empty_passwords_are_refused_before_the_guest_is_asked(real_guest: RealGuest) -> None:
    assert real_guest.vmrun("runProgramInGuest", real_guest.vmx, "/bin/true") == (255, f"Error: {ANONYMOUS}\n")
    empty = (255, "Error: The guest OS does not support empty passwords\n")
    assert real_guest.as_user("nopassword", "", "runProgramInGuest", "/bin/true") == empty
    assert real_guest.vmrun("-gu", "nopassword", "runProgramInGuest", real_guest.vmx, "/bin/true") == empty


def test_a_program_is_named_by_its_whole_path(real_guest: RealGuest) -> None:
    assert real_guest("runProgramInGuest", "true") == NOT_FOUND
    assert real_guest("runProgramInGuest", "/bin/no such program") == NOT_FOUND
    cannot = (255, "Error: A program could not run on the guest operating system\n")
    assert real_guest("runProgramInGuest", "/etc/passwd") == cannot
    assert real_guest("runProgramInGuest", "/etc") == cannot


def test_no_wait_returns_before_the_program_ends(real_guest: RealGuest) -> None:
    started = time.monotonic()
    real_guest.ok("runProgramInGuest", "-NoWait", "-activeWindow", "/bin/sh", "-c", "sleep 60; exit 3")
    assert time.monotonic() - started < 30
    assert "sleep 60" in real_guest.ok("listProcessesInGuest")


def test_interactive_needs_a_user_at_the_console(real_guest: RealGuest) -> None:
    assert real_guest("runProgramInGuest", "-interactive", "/bin/true") == (
        255,
        "Error: The specified guest user must be logged in interactively to perform this operation\n",
    )
    real_guest.root(f"setsid login -f {USER} </dev/tty2 >/dev/tty2 2>&1 & echo $! > /tmp/login.pid")
    try:
        assert eventually(lambda: USER in real_guest.root("who"), 60)
        assert real_guest("runProgramInGuest", "-interactive", "/bin/true") == (0, "")
        assert real_guest.as_user("other", "other", "runProgramInGuest", "-interactive", "/bin/true")[0] == 255
    finally:
        real_guest.root("kill -HUP $(cat /tmp/login.pid)")


def test_a_program_that_is_killed_has_a_status_beyond_128(real_guest: RealGuest) -> None:
    assert real_guest("runProgramInGuest", "/bin/sh", "-c", "kill -9 $$")[0] == 137


def test_a_script_is_run_by_its_interpreter_and_its_file_is_gone_afterwards(real_guest: RealGuest) -> None:
    text = 'import os, sys\nopen("/tmp/script-says", "w").write(sys.argv[0])\nsys.exit(os.getuid() > 999)\n'
    assert real_guest("runScriptInGuest", "/usr/bin/python3", text)[0] == 1
    path = real_guest.root("cat /tmp/script-says")
    assert real_guest.root(f"ls {path} 2>&1 || true").startswith("ls:")
    assert real_guest("runScriptInGuest", "", "exit 7")[0] == 7
    assert real_guest("runScriptInGuest", "/bin/none", "exit 7") == NOT_FOUND


def test_processes_are_listed_and_ended_by_their_owner_only(real_guest: RealGuest) -> None:
    real_guest.ok("runProgramInGuest", "-noWait", "/bin/sleep", "12345")
    lines = real_guest.ok("listProcessesInGuest").splitlines()
    assert lines[0] == f"Process list: {len(lines) - 1}"
    assert lines[1].startswith("pid=1, owner=root, cmd=")
    (mine,) = [line for line in lines if line.endswith(f"owner={USER}, cmd=/bin/sleep 12345")]
    pid = mine.partition(",")[0].removeprefix("pid=")
    not_mine = (255, "Error: Authentication failure or insufficient permissions in guest operating system\n")
    assert real_guest.as_user("other", "other", "killProcessInGuest", pid) == not_mine
    real_guest.ok("killProcessInGuest", pid)
    assert "sleep 12345" not in real_guest.ok("listProcessesInGuest")
    assert real_guest("killProcessInGuest", pid) == (255, "Error: No such process\n")


def test_a_program_that_never_ends_ends_the_wait(real_guest: RealGuest) -> None:
    real_guest.vmrun.env["VMRUN_QEMU_PROGRAM_S"] = "1"
    try:
        code, output = real_guest("runProgramInGuest", "/bin/sleep", "100")
    finally:
        del real_guest.vmrun.env["VMRUN_QEMU_PROGRAM_S"]
    assert (code, output[:7]) == (255, "Error: ")
