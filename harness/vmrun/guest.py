"""Guest operations: what vmrun does inside a guest through VMware Tools, as a user of the guest.

The lab itself works over SSH and needs none of this. vmrun takes the password on its command line, where the host's
process list shows it. What a program in the guest prints never comes back: let it write a file, and copy that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from harness.core.deadline import Deadline
from harness.core.errors import UsageError
from harness.system.process import Completed
from harness.vmrun.error_table import failed
from harness.vmrun.guest_arguments import Starting, argument_words, exit_status
from harness.vmrun.invocation import GuestLogin, VmrunProgram
from harness.vmrun.parse_guest import GuestProcess, parse_directory, parse_exists, parse_processes
from harness.vmrun.paths import GuestPath
from harness.vmrun.replaced_file import fresh

T = TypeVar("T")

_PLAINLY = Starting()


class Guest:
    """The guest operations of a `vmrun` on one machine, for one user of its guest.

    Each of them raises `ToolsNotRunning`, `GuestLoginFailed`, `VmNotPoweredOn` and `VmPaused` as they come up.
    """

    def __init__(self, program: VmrunProgram, vmx: Path, login: GuestLogin) -> None:
        self._program = program
        self._vmx = vmx
        self._login = login

    # -- programs ------------------------------------------------------------------------------------------------

    def run_program(
        self,
        program: GuestPath,
        arguments: str | Sequence[str] = (),
        *,
        starting: Starting = _PLAINLY,
        deadline: Deadline | None = None,
    ) -> int:
        """Return the exit status of a program that ran to its end.

        Args:
            program: Its full path; there is no search.
            arguments: Words, or the whole command line behind the program as one text, e.g. `/c exit 0` for cmd.exe.
            starting: On which desktop.
            deadline: The call is ended then; the program in the guest may run on.

        Raises:
            FileNotFound: There is no such program.
        """
        words = argument_words(program.style, arguments)
        return self._run("runProgramInGuest", [*starting.options, str(program), *words], deadline)

    def start_program(
        self, program: GuestPath, arguments: str | Sequence[str] = (), *, starting: Starting = _PLAINLY
    ) -> None:
        """Have a program started; nobody will know how it ends.

        Raises:
            FileNotFound: There is no such program.
        """
        words = argument_words(program.style, arguments)
        self._do("runProgramInGuest", "-noWait", *starting.options, program, *words)

    def run_script(
        self,
        interpreter: GuestPath | None,
        text: str,
        *,
        starting: Starting = _PLAINLY,
        deadline: Deadline | None = None,
    ) -> int:
        """Return the exit status of a script; without an interpreter it is one of cmd.exe, in a Windows guest.

        Raises:
            FileNotFound: There is no such interpreter.
        """
        shell = str(interpreter) if interpreter else ""
        return self._run("runScriptInGuest", [*starting.options, shell, text], deadline)

    def list_processes(self) -> tuple[GuestProcess, ...]:
        """Return the processes of the guest."""
        return self._program.parsed(parse_processes, "listProcessesInGuest", self._vmx, login=self._login)

    def kill_process(self, pid: int) -> None:
        """Have a process of the guest ended.

        Raises:
            NoSuchProcess: There is none of that id.
        """
        self._do("killProcessInGuest", str(pid))

    # -- files ---------------------------------------------------------------------------------------------------

    def file_exists(self, path: GuestPath) -> bool:
        """Return whether the guest has that file."""
        return self._exists("fileExistsInGuest", path)

    def directory_exists(self, path: GuestPath) -> bool:
        """Return whether the guest has that directory."""
        return self._exists("directoryExistsInGuest", path)

    def delete_file(self, path: GuestPath) -> None:
        """Have a file gone."""
        self._do("deleteFileInGuest", path)

    def rename_file(self, path: GuestPath, to: GuestPath) -> None:
        """Have a file under another name."""
        self._do("renameFileInGuest", path, to)

    def create_directory(self, path: GuestPath) -> None:
        """Have a new directory.

        Raises:
            FileExists: There is something of that name.
        """
        self._do("createDirectoryInGuest", path)

    def delete_directory(self, path: GuestPath) -> None:
        """Have a directory and all that is in it gone."""
        self._do("deleteDirectoryInGuest", path)

    def list_directory(self, path: GuestPath) -> tuple[str, ...]:
        """Return the names in a directory."""
        return self._program.parsed(parse_directory, "listDirectoryInGuest", self._vmx, str(path), login=self._login)

    def create_temporary_file(self) -> GuestPath:
        """Return the path of a new empty file."""
        return self._program.parsed(_parse_path, "CreateTempfileInGuest", self._vmx, login=self._login)

    def copy_to_guest(self, source: Path, target: GuestPath, *, deadline: Deadline | None = None) -> None:
        """Have a copy of a file of the host in the guest, in place of what was there.

        Raises:
            FileNotFound: The host has no such file.
        """
        self._do("CopyFileFromHostToGuest", source.resolve(), target, deadline=deadline)

    def copy_from_guest(self, source: GuestPath, target: Path, *, deadline: Deadline | None = None) -> None:
        """Have a copy of a file of the guest on the host, in place of what was there.

        Raises:
            FileNotFound: The guest has no such file.
            UnexpectedAnswer: It succeeded, and there is no new file on the host.
            OSError: What was there cannot be moved.
        """
        target = target.resolve()
        with fresh(target):
            done = self._do("CopyFileFromGuestToHost", source, target, deadline=deadline)
            is_there = target.is_file()
        if not is_there:
            raise self._program.unexpected("CopyFileFromGuestToHost", done, f"there is no {target}")

    # -- inside --------------------------------------------------------------------------------------------------

    def _do(self, verb: str, *words: str | GuestPath | Path, deadline: Deadline | None = None) -> Completed:
        return self._program.call(verb, self._vmx, *map(str, words), deadline=deadline, login=self._login)

    def _run(self, verb: str, words: Sequence[str], deadline: Deadline | None) -> int:
        done = self._program.answer(verb, self._vmx, *words, deadline=deadline, login=self._login)
        return self._read(verb, done, lambda: exit_status(done))

    def _exists(self, verb: str, path: GuestPath) -> bool:
        done = self._program.answer(verb, self._vmx, str(path), login=self._login)
        failure = failed(done.output, 0)  # absence has an exit status of its own, a failure has its text
        return self._read(verb, done, lambda: None if failure else parse_exists(done.output))

    def _read(self, verb: str, done: Completed, read: Callable[[], T | None]) -> T:
        """Return what is read; None means a failure of vmrun, a ValueError an answer that fits no reading."""
        try:
            value = read()
        except ValueError as error:
            raise self._program.unexpected(verb, done, str(error)) from error
        if value is None:
            raise self._program.failure(verb, done, self._vmx)
        return value


def _parse_path(text: str) -> GuestPath:
    try:
        return GuestPath(text.strip())
    except UsageError as error:
        raise ValueError(error.what) from error
