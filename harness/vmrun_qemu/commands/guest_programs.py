"""runProgramInGuest, runScriptInGuest, listProcessesInGuest, killProcessInGuest.

The output of a program is discarded; its exit status is returned, with a line that names it. PATH is not searched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.vmrun_qemu.base.messages import (
    CANNOT_RUN,
    INVALID_PARAMETER,
    NO_GUEST_PERMISSION,
    NO_SUCH_PROCESS,
    NOT_FOUND,
    NOT_INTERACTIVE,
    Failure,
    Flags,
    print_line,
)
from harness.vmrun_qemu.client.guest_shell import GuestShell, Outcome
from harness.vmrun_qemu.commands.guest_files import checked, text_of

# Each of the two scripts prints `!` when the program is about to run: from then on the status is the program's own.
# $1 is `wait` or `go`, $2 is `desk` when the user must be logged in at the console, $3 is the program.
_CHECKS = r"""
mode=$1 place=$2 program=$3; shift 3
if [ "$place" = desk ]; then
  who 2>/dev/null | while read -r name line rest; do
    case "$name $line" in "$(id -un) tty"*|"$(id -un) :"*) echo yes ;; esac
  done | grep -q yes || exit 107
fi
case $program in /*) ;; *) exit 102 ;; esac
[ -e "$program" ] || exit 102
[ -f "$program" ] && [ -x "$program" ] || exit 108
"""
_RUN = (
    _CHECKS
    + r"""
printf !
if [ "$mode" = go ]; then "$program" "$@" </dev/null >/dev/null 2>&1 & exit 0; fi
exec "$program" "$@" </dev/null >/dev/null 2>&1
"""
)
_RUN_SCRIPT = (
    _CHECKS
    + r"""
script=$(mktemp /tmp/vmware-script-XXXXXXXX) && cat > "$script" || exit 106
printf !
run() { "$program" "$script" </dev/null >/dev/null 2>&1; status=$?; rm -f -- "$script"; return $status; }
if [ "$mode" = go ]; then run >/dev/null 2>&1 & exit 0; fi
run
"""
)
_STARTED = b"!"
_BEFORE = {102: NOT_FOUND, 107: NOT_INTERACTIVE, 108: CANNOT_RUN}
_PS = "ps -eo pid=,user:32=,args="
# As VMware Tools do it: SIGTERM first, then SIGKILL.
_KILL = r"""
[ -d "/proc/$1" ] || exit 109
kill -TERM "$1" || exit 106
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -d "/proc/$1" ] || exit 0; sleep 0.3; done
kill -KILL "$1" || exit 0
"""


class ProgramRequest(NamedTuple):
    """The parsed parameters `[-noWait] [-activeWindow] [-interactive] word…`.

    `-activeWindow` has no effect: only Windows guests have one.
    """

    wait: bool
    interactive: bool
    words: Sequence[str]


def parse_request(parameters: Sequence[str]) -> ProgramRequest:
    """Parse the options before the program, and the program with its parameters."""
    words = list(parameters)
    options = set()
    while words and words[0].lower() in ("-nowait", "-activewindow", "-interactive"):
        options.add(words.pop(0).lower())
    return ProgramRequest("-nowait" not in options, "-interactive" in options, words)


def run_program(parameters: Sequence[str], flags: Flags) -> int:
    """Run a program in the guest; return its exit status.

    With `-noWait` return 0 at once. Each parameter reaches a Linux program as one word.

    Raises:
        Failure: There is no such program, it cannot be run, or the login is refused.
    """
    request = parse_request(parameters[1:])
    if not request.words:
        raise Failure(INVALID_PARAMETER)
    with GuestShell(parameters[0], flags) as shell:
        return _report(shell.run_long(_RUN, *_modes(request), *request.words))


def run_script(parameters: Sequence[str], flags: Flags) -> int:
    """Run a script in the guest, as `run_program`.

    The text is written to a file of the guest for the interpreter.

    Raises:
        Failure: As `run_program`.
    """
    request = parse_request(parameters[1:])
    if len(request.words) != 2:
        raise Failure(INVALID_PARAMETER)
    interpreter, text = request.words
    given = text.encode("utf-8", "surrogateescape") + b"\n"
    with GuestShell(parameters[0], flags) as shell:
        return _report(shell.run_long(_RUN_SCRIPT, *_modes(request), interpreter or "/bin/sh", given=given))


def list_processes(parameters: Sequence[str], flags: Flags) -> int:
    """Print the guest's processes: id, owner, command line."""
    with GuestShell(parameters[0], flags) as shell:
        found = processes_of(text_of(checked(shell.run(f"exec {_PS}"))))
    print_line("\n".join([f"Process list: {len(found)}", *(f"pid={p}, owner={o}, cmd={c}" for p, o, c in found)]))
    return 0


def processes_of(text: str) -> list[tuple[str, str, str]]:
    """Parse the output of `ps` into (id, owner, command line).

    The `ps` process itself is left out.
    """
    rows = (re.fullmatch(r"\s*(\d+)\s+(\S+)\s+(.*?)\s*", line) for line in text.splitlines())
    return [(row[1], row[2], row[3]) for row in rows if row and row[3] != _PS]


def kill_process(parameters: Sequence[str], flags: Flags) -> int:
    """End a process of the guest.

    Raises:
        Failure: There is no process with this id, or it belongs to another user.
    """
    pid = parameters[1]
    if not pid.isascii() or not pid.isdigit():
        raise Failure(INVALID_PARAMETER)
    with GuestShell(parameters[0], flags) as shell:
        status = shell.run(_KILL, pid).status
    if status:
        raise Failure({109: NO_SUCH_PROCESS}.get(status, NO_GUEST_PERMISSION))
    return 0


def _modes(request: ProgramRequest) -> list[str]:
    return ["wait" if request.wait else "go", "desk" if request.interactive else "anywhere"]


def _report(outcome: Outcome) -> int:
    if not outcome.output.startswith(_STARTED):
        raise Failure(_BEFORE.get(outcome.status, CANNOT_RUN))
    if outcome.status:
        print_line(f"Guest program exited with non-zero exit code: {outcome.status}")
    return outcome.status
