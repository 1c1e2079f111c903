"""Guest operations: programs and files in a guest, through VMware Tools.

The lab itself works over SSH and needs none of this. vmrun takes the password on its command line, where the host's
process list shows it. vmrun never returns the output of a guest program: let it write a file, and copy that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from harness.core.deadline import Deadline
from harness.core.errors import UsageError
from harness.system.process import Completed
from harness.vmrun.error_table import is_failure
from harness.vmrun.guest_arguments import StartOptions, argument_words, exit_status
from harness.vmrun.invocation import GuestLogin, VmrunProgram
from harness.vmrun.parse_guest import GuestProcess, parse_directory, parse_exists, parse_processes
from harness.vmrun.paths import GuestPath
from harness.vmrun.replaced_file import set_aside

T = TypeVar("T")

_DEFAULT_START = StartOptions()


class Guest:
    """The guest operations of a VM for one user of its guest.

    Each of them raises `ToolsNotRunning`, `GuestLoginFailed`, `VmNotPoweredOn` and `VmPaused` as they occur.
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
        start: StartOptions = _DEFAULT_START,
        deadline: Deadline | None = None,
    ) -> int:
        """Run a program to its end and return its exit status.

        Args:
            program: Its full path; PATH is not searched.
            arguments: Words, or the whole command line behind the program as one text, e.g. `/c exit 0` for cmd.exe.
            start: On which desktop.
            deadline: The call is ended then; the program in the guest may run on.

        Raises:
            FileNotFound: The program does not exist.
        """
        words = argument_words(program.style, arguments)
        return self._run("runProgramInGuest", [*start.options, str(program), *words], deadline)

    def start_program(
        self, program: GuestPath, arguments: str | Sequence[str] = (), *, start: StartOptions = _DEFAULT_START
    ) -> None:
        """Start a program without waiting for its end.

        Raises:
            FileNotFound: The program does not exist.
        """
        words = argument_words(program.style, arguments)
        self._do("runProgramInGuest", "-noWait", *start.options, program, *words)

    def run_script(
        self,
        interpreter: GuestPath | None,
        text: str,
        *,
        start: StartOptions = _DEFAULT_START,
        deadline: Deadline | None = None,
    ) -> int:
        """Run a script to its end and return its exit status.

        Without an interpreter it is a script of cmd.exe, in a Windows guest.

        Raises:
            FileNotFound: The interpreter does not exist.
        """
        shell = str(interpreter) if interpreter else ""
        return self._run("runScriptInGuest", [*start.options, shell, text], deadline)

    def list_processes(self) -> tuple[GuestProcess, ...]:
        """Return the processes of the guest."""
        return self._program.query(parse_processes, "listProcessesInGuest", self._vmx, login=self._login)

    def kill_process(self, pid: int) -> None:
        """Kill a process of the guest.

        Raises:
            NoSuchProcess: No process has that id.
        """
        self._do("killProcessInGuest", str(pid))

    # -- files ---------------------------------------------------------------------------------------------------

    def file_exists(self, path: GuestPath) -> bool:
        """Return whether the file exists in the guest."""
        return self._exists("fileExistsInGuest", path)

    def directory_exists(self, path: GuestPath) -> bool:
        """Return whether the directory exists in the guest."""
        return self._exists("directoryExistsInGuest", path)

    def delete_file(self, path: GuestPath) -> None:
        """Delete a file."""
        self._do("deleteFileInGuest", path)

    def rename_file(self, path: GuestPath, to: GuestPath) -> None:
        """Rename a file."""
        self._do("renameFileInGuest", path, to)

    def create_directory(self, path: GuestPath) -> None:
        """Create a directory.

        Raises:
            FileExists: The name is taken.
        """
        self._do("createDirectoryInGuest", path)

    def delete_directory(self, path: GuestPath) -> None:
        """Delete a directory with its content."""
        self._do("deleteDirectoryInGuest", path)

    def list_directory(self, path: GuestPath) -> tuple[str, ...]:
        """Return the names in a directory."""
        return self._program.query(parse_directory, "listDirectoryInGuest", self._vmx, str(path), login=self._login)

    def create_temporary_file(self) -> GuestPath:
        """Create an empty temporary file and return its path."""
        return self._program.query(_parse_path, "CreateTempfileInGuest", self._vmx, login=self._login)

    def copy_to_guest(self, source: Path, target: GuestPath, *, deadline: Deadline | None = None) -> None:
        """Copy a host file to the guest, replacing an existing one.

        Raises:
            FileNotFound: The file does not exist on the host.
        """
        self._do("CopyFileFromHostToGuest", source.resolve(), target, deadline=deadline)

    def copy_from_guest(self, source: GuestPath, target: Path, *, deadline: Deadline | None = None) -> None:
        """Copy a guest file to the host, replacing an existing one.

        Raises:
            FileNotFound: The file does not exist in the guest.
            UnexpectedAnswer: It succeeded, and there is no new file on the host.
            OSError: An existing file cannot be moved away.
        """
        target = target.resolve()
        with set_aside(target):
            done = self._do("CopyFileFromGuestToHost", source, target, deadline=deadline)
            exists = target.is_file()
        if not exists:
            raise self._program.unexpected_output("CopyFileFromGuestToHost", done, f"there is no {target}")

    # -- inside --------------------------------------------------------------------------------------------------

    def _do(self, verb: str, *words: str | GuestPath | Path, deadline: Deadline | None = None) -> Completed:
        return self._program.call(verb, self._vmx, *map(str, words), deadline=deadline, login=self._login)

    def _run(self, verb: str, words: Sequence[str], deadline: Deadline | None) -> int:
        done = self._program.invoke(verb, self._vmx, *words, deadline=deadline, login=self._login)
        return self._read(verb, done, lambda: exit_status(done))

    def _exists(self, verb: str, path: GuestPath) -> bool:
        done = self._program.invoke(verb, self._vmx, str(path), login=self._login)
        failure = is_failure(done.output, 0)  # absence has an exit status of its own, a failure has a text
        return self._read(verb, done, lambda: None if failure else parse_exists(done.output))

    def _read(self, verb: str, done: Completed, read: Callable[[], T | None]) -> T:
        """Return the result of `read`.

        None means a failure of vmrun; a ValueError means an output of unknown form.
        """
        try:
            value = read()
        except ValueError as error:
            raise self._program.unexpected_output(verb, done, str(error)) from error
        if value is None:
            raise self._program.failure(verb, done, self._vmx)
        return value


def _parse_path(text: str) -> GuestPath:
    try:
        return GuestPath(text.strip())
    except UsageError as error:
        raise ValueError(error.what) from error
