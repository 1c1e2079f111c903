"""Guest operations of a machine with Tools.

On a `vmrun` that is there, they work on a clone of the guest given.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address

import pytest
from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Answer, Bench
from vmrun_contract.guests import Guest

pytestmark = pytest.mark.guest

ANONYMOUS = (
    "Anonymous guest operations are not allowed on this virtual machine. "
    "You must call VixVM_LoginInGuest before performing guest operations"
)
NOT_FOUND = "A file was not found"
_PROCESS = re.compile(r"pid=(\d+), owner=(.*), cmd=(.*)")


def run(bench: Bench, guest: Guest, text: str, *options: str) -> Answer:
    """Return the answer to a command of the guest's shell."""
    return bench("runProgramInGuest", guest.vm, *options, *guest.system.command(text), login=guest.login)


def address(bench: Bench, guest: Guest) -> str:
    """Return the guest's address; it has one."""
    answer = bench("getGuestIPAddress", guest.vm)
    assert answer.code == 0
    (line,) = answer.lines
    return str(IPv4Address(line))


def there(bench: Bench, guest: Guest, path: str, verb: str = "fileExistsInGuest") -> bool:
    """Return whether the guest has that file or directory."""
    answer = bench(verb, guest.vm, path, login=guest.login)
    kind = "file" if verb == "fileExistsInGuest" else "directory"
    if answer.code == 0:
        answer.says(f"The {kind} exists.")
        return True
    assert answer.lines == [f"The {kind} does not exist."]
    return False


@behaviour(
    "checkToolsState", "with Tools: `running`, status 0; before they answer: `installed`", "TP",
    settles="tools-installed-status",
)  # fmt: skip
def test_tools_run(bench: Bench, guest: Guest) -> None:
    answer = bench("checkToolsState", guest.vm)
    assert answer.lines in (["running"], ["installed"])  # `installed` was seen although guest operations worked
    assert answer.code == 0
    if answer.lines == ["installed"]:
        bench.settle("tools-installed-status", str(answer.code))


@behaviour(
    "getGuestIPAddress",
    "with Tools: one IPv4 address; while there is none: `unknown`, an empty line, or `Unable to get the IP address`",
    "T",
)
def test_the_guests_address(bench: Bench, guest: Guest) -> None:
    answer = bench("getGuestIPAddress", guest.vm)
    if answer.failed:
        answer.fails("Unable to get the IP address")
        return
    assert answer.code == 0
    if answer.lines not in ([], ["unknown"]):
        (line,) = answer.lines
        assert IPv4Address(line).is_private


@behaviour("readVariable", "`guestVar ip` is the address, without a login", "T")
def test_the_guests_address_is_a_variable_too(bench: Bench, guest: Guest) -> None:
    known = address(bench, guest)
    bench("readVariable", guest.vm, "guestVar", "ip").says(known)


@behaviour("runProgramInGuest", "a program that exits with 0: says nothing; its output does not come back", "TD")
def test_a_program_runs_and_its_output_stays_in_the_guest(bench: Bench, guest: Guest) -> None:
    run(bench, guest, "echo hello").silent()


@behaviour(
    "runProgramInGuest", "a program that exits with 42: `Guest program exited with non-zero exit code: 42`, status 42",
    "TP", settles="guest-exit",
)  # fmt: skip
def test_the_status_of_a_program_comes_through(bench: Bench, guest: Guest) -> None:
    answer = run(bench, guest, "exit 42")
    assert answer.lines == ["Guest program exited with non-zero exit code: 42"]
    assert answer.code != 0
    bench.settle("guest-exit", "passed" if answer.code == 42 else "own")


@behaviour("runProgramInGuest", "a status above 255", "I", settles="guest-exit-large")
def test_a_large_status(bench: Bench, guest: Guest) -> None:
    answer = run(bench, guest, "exit 300")
    assert re.fullmatch(r"Guest program exited with non-zero exit code: (300|44)", answer.text.strip())
    assert answer.code != 0
    bench.settle("guest-exit-large", f"{answer.raw} with the text {answer.text.strip()!r}")


@behaviour(
    "runProgramInGuest", "several words reach a Linux guest as several arguments, a Windows guest not", "T",
    settles="guest-words",
)  # fmt: skip
def test_several_words_for_a_program(bench: Bench, guest: Guest) -> None:
    system = guest.system
    answer = bench("runProgramInGuest", guest.vm, system.shell, system.option, "exit 0", login=guest.login)
    bench.settle("guest-words", "joined" if answer.code else "several")
    if answer.code == 0:
        answer.silent()
    else:
        assert system.one_word
        assert answer.lines == [f"Guest program exited with non-zero exit code: {answer.code}"]


@behaviour(
    "runProgramInGuest", "a program that is not there: `A file was not found`; there is no search along PATH", "TP"
)
def test_a_program_that_is_not_there(bench: Bench, guest: Guest) -> None:
    bench("runProgramInGuest", guest.vm, guest.system.temporary + "nope", login=guest.login).fails(NOT_FOUND)


@behaviour("runProgramInGuest", "`-noWait` answers at once, with 0 and without a word", "T")
def test_a_program_is_not_waited_for(bench: Bench, guest: Guest) -> None:
    words = guest.system.command(guest.system.long)
    answer = bench.within(60, "runProgramInGuest", guest.vm, "-noWait", *words, login=guest.login)
    assert answer is not None
    answer.silent()


@behaviour("runProgramInGuest", "a wrong password: `Invalid user name or password for the guest OS`", "P")
def test_a_wrong_password(bench: Bench, guest: Guest) -> None:
    for words in (("runProgramInGuest", guest.vm, *guest.system.command("exit 0")), ("listProcessesInGuest", guest.vm)):
        bench(*words, login=guest.wrong_login).fails("Invalid user name or password for the guest OS")


@behaviour("listProcessesInGuest", "without a login: `Anonymous guest operations are not allowed …`", "T")
def test_nobodys_guest_operation(bench: Bench, guest: Guest) -> None:
    bench("listProcessesInGuest", guest.vm).fails(ANONYMOUS)


@behaviour(
    "runScriptInGuest", "runs a text with an interpreter; says nothing; the interpreter's status comes through", "P"
)
def test_a_script_runs(bench: Bench, guest: Guest) -> None:
    made = guest.system.temporary + "contract-script"
    script = f"echo made > {made}"
    bench("runScriptInGuest", guest.vm, guest.system.shell, script, login=guest.login).silent()
    assert there(bench, guest, made)
    bench("deleteFileInGuest", guest.vm, made, login=guest.login).silent()
    assert not there(bench, guest, made)


@behaviour(
    "fileExistsInGuest directoryExistsInGuest",
    "`The file exists.`, 0; `The file does not exist.`, not 0; the same for a directory",
    "TP",
)
def test_what_is_there_and_what_is_not(bench: Bench, guest: Guest) -> None:
    assert there(bench, guest, guest.system.file)
    assert not there(bench, guest, guest.system.file + ".nope")
    assert there(bench, guest, guest.system.directory, "directoryExistsInGuest")
    assert not there(bench, guest, guest.system.directory + ".nope", "directoryExistsInGuest")


@behaviour("createDirectoryInGuest deleteDirectoryInGuest", "say nothing", "P")
def test_a_directory_is_made_and_deleted(bench: Bench, guest: Guest) -> None:
    folder = guest.system.temporary + "contract directory"
    bench("createDirectoryInGuest", guest.vm, folder, login=guest.login).silent()
    assert there(bench, guest, folder, "directoryExistsInGuest")
    bench("deleteDirectoryInGuest", guest.vm, folder, login=guest.login).silent()
    assert not there(bench, guest, folder, "directoryExistsInGuest")


@behaviour(
    "copyFileFromHostToGuest copyFileFromGuestToHost renameFileInGuest", "say nothing; a copy overwrites; no `..`", "T"
)
def test_a_file_goes_there_and_back(bench: Bench, guest: Guest) -> None:
    here, back = bench.path("here.txt"), bench.path("back.txt")
    first, second = guest.system.temporary + "contract a.txt", guest.system.temporary + "contract b.txt"
    for text in ("one\n", "two ümlaut\n"):
        bench.write(here, text)
        bench("copyFileFromHostToGuest", guest.vm, here, first, login=guest.login).silent()
    bench("renameFileInGuest", guest.vm, first, second, login=guest.login).silent()
    bench("copyFileFromGuestToHost", guest.vm, second, back, login=guest.login).silent()
    assert bench.look("text", back) == "two ümlaut\n"
    bench("deleteFileInGuest", guest.vm, second, login=guest.login).silent()
    bench("copyFileFromGuestToHost", guest.vm, second, back, login=guest.login).fails(NOT_FOUND)


@behaviour("copyFileFromHostToGuest", "a file of the host that is not there: `A file was not found`", "P")
def test_a_file_that_is_not_there_is_not_copied(bench: Bench, guest: Guest) -> None:
    target = guest.system.temporary + "contract-nope"
    bench("copyFileFromHostToGuest", guest.vm, bench.path("nope"), target, login=guest.login).fails(NOT_FOUND)
    assert not there(bench, guest, target)


@behaviour("createTempfileInGuest", "prints the path of a new file", "TP")
def test_a_temporary_file(bench: Bench, guest: Guest) -> None:
    answer = bench("createTempfileInGuest", guest.vm, login=guest.login)
    (path,) = answer.lines
    assert answer.code == 0
    assert there(bench, guest, path)
    bench("deleteFileInGuest", guest.vm, path, login=guest.login).silent()


@behaviour(
    "listDirectoryInGuest", "a first line, `Directory list: N`, then the names", "P", settles="list-directory-header"
)
def test_a_directory_is_listed(bench: Bench, guest: Guest) -> None:
    folder = guest.system.temporary + "contract-list"
    bench("createDirectoryInGuest", guest.vm, folder, login=guest.login).silent()
    bench("createDirectoryInGuest", guest.vm, folder + guest.system.temporary[-1] + "inner", login=guest.login).silent()
    answer = bench("listDirectoryInGuest", guest.vm, folder, login=guest.login)
    assert (answer.code, answer.lines[1:]) == (0, ["inner"])
    bench.settle("list-directory-header", answer.lines[0])
    bench("deleteDirectoryInGuest", guest.vm, folder, login=guest.login).silent()


@behaviour(
    "listProcessesInGuest killProcessInGuest", "`Process list: N`, then `pid=P, owner=O, cmd=C`; a kill is silent", "TP"
)
def test_a_process_is_listed_and_ended(bench: Bench, guest: Guest) -> None:
    run(bench, guest, guest.system.long, "-noWait").silent()
    answer = bench("listProcessesInGuest", guest.vm, login=guest.login)
    head, *rows = answer.lines
    assert (answer.code, head) == (0, f"Process list: {len(rows)}")
    found = [row for row in map(_PROCESS.fullmatch, rows) if row]
    assert len(found) == len(rows)
    ours = [row[1] for row in found if guest.system.long in row[3]]
    assert ours
    for pid in ours:
        bench("killProcessInGuest", guest.vm, pid, login=guest.login).silent()


@behaviour("captureScreen", "with Tools and a login: a PNG, without a word", "TP")
def test_the_screen_is_a_picture(bench: Bench, guest: Guest) -> None:
    png = bench.path("screen.png")
    bench("captureScreen", guest.vm, png, login=guest.login).silent()
    assert bench.look("png", png)


@behaviour(
    "getGuestIPAddress suspend", "of a suspended machine: the address of before, or `not powered on`", "TI",
    settles="suspended-address",
)  # fmt: skip
def test_the_address_of_a_suspended_machine(bench: Bench, guest: Guest) -> None:
    before = address(bench, guest)
    bench("suspend", guest.vm, "hard").silent()
    answer = bench("getGuestIPAddress", guest.vm)
    bench.settle("suspended-address", "error" if answer.failed else "stale")
    if answer.failed:
        answer.fails(f"The virtual machine is not powered on: {guest.vm}")
    else:
        answer.says(before)
    bench("start", guest.vm, "nogui").silent()
