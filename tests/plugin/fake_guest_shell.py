"""A guest whose shells know exactly the commands they were told; every other one is noted and fails.

A command for root's shell is in the table behind `# `, root's prompt.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import paramiko
from guest.fake_guest import FakeSshGuest

Answers = Mapping[str, tuple[int, str]]
# What the host itself may answer.
_REAL = ("date +%s.%N",)


class FakeShellGuest(FakeSshGuest):
    """An SSH server whose `sh -c COMMAND` answers from a table of command -> (exit status, standard output)."""

    def __init__(self, folder: Path, answers: Answers, authorized: paramiko.PKey, host_key: paramiko.PKey) -> None:
        self._folder = folder
        self.unknown = folder / "unknown"
        write_shell(folder, answers, self.unknown)
        super().__init__(authorized, host_key)
        self.sudo = "env FAKE_ROOT=1 "

    def start(self, channel: paramiko.Channel, command: str) -> None:
        path = shlex.quote(str(self._folder))
        super().start(channel, f"PATH={path}:$PATH; export PATH; {command}")


def write_shell(folder: Path, answers: Answers, unknown: Path) -> None:
    """Leave an executable `sh` in that folder: without `-c` the real one, with `-c` a table."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for number, (command, (status, text)) in enumerate(answers.items()):
        answer = folder / f"answer-{number}"
        answer.write_text(text, encoding="utf-8")
        cases.append(f"{shlex.quote(command)}) cat {shlex.quote(str(answer))}; exit {status};;")
    cases += [f"{shlex.quote(command)}) {command}; exit;;" for command in _REAL]
    script = [
        "#!/bin/sh",
        '[ "$1" = -c ] || exec /bin/sh "$@"',
        "asked=${FAKE_ROOT:+# }$2",
        'case "$asked" in',
        *cases,
        "esac",
        f"printf '%s\\n' \"$asked\" >> {shlex.quote(str(unknown))}",
        "exit 127",
    ]
    shell = folder / "sh"
    shell.write_text("\n".join(script) + "\n", encoding="utf-8")
    shell.chmod(0o755)
