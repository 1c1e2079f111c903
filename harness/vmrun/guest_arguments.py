"""Programs in a guest: how their arguments travel through vmrun, and how their end is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.system.process import Completed, windows_command_line
from harness.vmrun.error_table import failed, signed
from harness.vmrun.paths import GuestStyle

_EXIT_LINE = re.compile(r"^Guest program exited with non-zero exit code:\s*(-?\d{1,10})\s*$", re.MULTILINE)
_UNSAFE = re.compile(r"[\"$\\`\r\n]")
_OWN_STATUS = (-1, -2)  # of vmrun itself


@dataclass(frozen=True)
class Starting:
    """How a guest program is started.

    Attributes:
        interactive: On the desktop of the user, who has to be logged in there; otherwise beside it (session 0).
        in_front: With its window in front, on Windows.
    """

    interactive: bool = False
    in_front: bool = False

    @property
    def options(self) -> list[str]:
        """The options of vmrun."""
        return ["-activeWindow"] * self.in_front + ["-interactive"] * self.interactive


def argument_words(style: GuestStyle, arguments: str | Sequence[str]) -> list[str]:
    """Return the arguments as vmrun takes them: it makes one text of its words, and the guest takes that apart again.

    A text goes as it is, as one word, which was seen to arrive whole at Windows guests. Several arguments become such a
    text there, by the rules of Windows. To a POSIX guest they go one by one, as clients do with `/bin/bash -c "a b"`;
    what a shell on the way would take for its own is refused.

    Raises:
        UsageError: An argument for a POSIX guest is empty or has `"`, `$`, `\\`, a backquote or a line end in it.
    """
    if isinstance(arguments, str):
        return [arguments] if arguments else []
    if style is GuestStyle.WINDOWS:
        return [windows_command_line(arguments)] if arguments else []
    unsafe = next((word for word in arguments if not word or _UNSAFE.search(word)), None)
    if unsafe is not None:
        raise UsageError(
            f"vmrun may not bring this argument to the guest as it is: {unsafe!r}",
            remedy="put the command into a script, for `run_script`",
        )
    return list(arguments)


def exit_status(done: Completed) -> int | None:
    """Return the exit status of the guest's program, or None where the answer is a failure of vmrun itself.

    The line `Guest program exited with non-zero exit code: N` counts first: one version was said to exit with a status
    of its own then, and on POSIX hosts a status has eight bits. Without that line vmrun's status is the program's.

    Raises:
        ValueError: It says that the program failed, with the status 0.
    """
    line = _EXIT_LINE.search(done.output)
    if line:
        if int(line[1]) == 0:
            raise ValueError("a failure with the exit code 0")
        return int(line[1])
    silent = not done.output.strip()
    if done.returncode and silent and signed(done.returncode) not in _OWN_STATUS:
        return done.returncode
    return None if failed(done.output, done.returncode) else 0
