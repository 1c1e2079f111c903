"""Arguments and exit status of guest programs, as vmrun passes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.system.process import Completed, windows_command_line
from harness.vmrun.error_table import is_failure, signed_status
from harness.vmrun.paths import GuestStyle

_EXIT_LINE = re.compile(r"^Guest program exited with non-zero exit code:\s*(-?\d{1,10})\s*$", re.MULTILINE)
_UNSAFE = re.compile(r"[\"$\\`\r\n]")
_OWN_STATUS = (-1, -2)  # of vmrun itself


@dataclass(frozen=True)
class StartOptions:
    """How a guest program is started.

    Attributes:
        interactive: On the desktop of the user, which needs a login there; otherwise in session 0.
        active_window: With its window in front, on Windows.
    """

    interactive: bool = False
    active_window: bool = False

    @property
    def options(self) -> list[str]:
        """The options of vmrun."""
        return ["-activeWindow"] * self.active_window + ["-interactive"] * self.interactive


def argument_words(style: GuestStyle, arguments: str | Sequence[str]) -> list[str]:
    r"""Return the arguments as words for vmrun.

    vmrun joins its words to one text, and the guest splits that again. A text is passed unchanged as one word, which
    was seen to arrive whole at Windows guests. For these, several arguments are joined by the rules of Windows. To a
    POSIX guest they are passed one by one, as clients do with `/bin/bash -c "a b"`; characters that a shell in between
    would interpret are refused.

    Raises:
        UsageError: An argument for a POSIX guest is empty or has `"`, `$`, `\`, a backquote or a line end in it.
    """
    if isinstance(arguments, str):
        return [arguments] if arguments else []
    if style is GuestStyle.WINDOWS:
        return [windows_command_line(arguments)] if arguments else []
    unsafe = next((word for word in arguments if not word or _UNSAFE.search(word)), None)
    if unsafe is not None:
        raise UsageError(
            f"vmrun cannot pass this argument to the guest unchanged: {unsafe!r}",
            remedy="put the command into a script and call `run_script`",
        )
    return list(arguments)


def exit_status(done: Completed) -> int | None:
    """Return the guest program's exit status; None for a failure of vmrun.

    The line `Guest program exited with non-zero exit code: N` counts first: one version is known to exit with a status
    of its own then, and on POSIX hosts a status has eight bits. Without that line vmrun's status is the program's.

    Raises:
        ValueError: The line reports a failure with the status 0.
    """
    line = _EXIT_LINE.search(done.output)
    if line:
        if int(line[1]) == 0:
            raise ValueError("a failure with the exit code 0")
        return int(line[1])
    silent = not done.output.strip()
    if done.returncode and silent and signed_status(done.returncode) not in _OWN_STATUS:
        return done.returncode
    return None if is_failure(done.output, done.returncode) else 0
