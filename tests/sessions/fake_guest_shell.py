"""A guest whose shells answer from a table of commands.

Every other command is noted and fails.

A command for root's shell is in the table behind `# `, root's prompt.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import paramiko
from guest.fake_guest import FakeSshGuest

Answers = Mapping[str, tuple[int, str]]
# A frame of the persistent shell (see `harness.guest.shell_protocol`): the mark, and the line that runs the command.
_FRAME = re.compile(
    rb"printf '\\036(?P<mark>[0-9a-f]+:[0-9]+:)a:%s\\036'[^\n]*\n"
    rb"(?P<line>.*?)\n"
    rb"s=\$\?; printf '\\036(?P=mark)z:%s\\036'[^\n]*\n",
    re.DOTALL,
)
_SHELL_PID = 4242


class FakeShellGuest(FakeSshGuest):
    """An SSH server with a table of command -> (exit status, output)."""

    def __init__(self, folder: Path, answers: Answers, authorized: paramiko.PKey, host_key: paramiko.PKey) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.unknown = folder / "unknown"
        self._answers = dict(answers)
        self._when: dict[str, Callable[[], object]] = {}
        super().__init__(authorized, host_key)
        self.methods = "publickey"
        self.refused = {"root"}

    @property
    def answers(self) -> dict[str, tuple[int, str]]:
        """What it answers from now on, by command."""
        return self._answers

    def when_asked(self, command: str, do: Callable[[], object]) -> None:
        """Do that when the command is asked, before it is answered."""
        self._when[command] = do

    def start(self, channel: paramiko.Channel, command: str) -> None:
        self._spawn(self._shell, channel, "# " if "sudo " in command else "")

    def _shell(self, channel: paramiko.Channel, prompt: str) -> None:
        """Answer frame after frame until the other side hangs up."""
        received = b""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while data := channel.recv(1 << 16):
                received += data
                while frame := _FRAME.search(received):
                    received = received[frame.end() :]
                    words = shlex.split(frame["line"].decode("utf-8"))
                    status, text = self._answer(prompt + words[words.index("-c") + 1])
                    mark = frame["mark"].decode("ascii")
                    channel.sendall_stderr(f"\x1e{mark}a:\x1e\x1e{mark}z:\x1e".encode())
                    channel.sendall(f"\x1e{mark}a:{_SHELL_PID}\x1e{text}\x1e{mark}z:{status}\x1e".encode())

    def _answer(self, asked: str) -> tuple[int, str]:
        self._when.get(asked, str)()
        if asked == "date +%s.%N" and asked not in self._answers:
            return 0, f"{time.time():.9f}\n"
        if asked in self._answers:
            return self._answers[asked]
        with self.unknown.open("a", encoding="utf-8") as file:
            file.write(f"{asked}\n")
        return 127, ""
