"""Commands in the guest, run as the guest user.

The guest checks the password. Its agent (which is root) runs `sh` once: it reads the password from standard input, lets
`unix_chkpwd` check it (PAM's own helper, which reads it from its standard input too), becomes the user with `setpriv`
and runs the command. So no password is on a command line inside the guest, and nothing runs before the check. It needs
a Linux guest with PAM and util-linux.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.vmrun_qemu.base.messages import (
    ANONYMOUS,
    BAD_LOGIN,
    EMPTY_LOGIN,
    NOT_SUPPORTED,
    TOOLS_TIMEOUT,
    UNKNOWN,
    Failure,
    Flags,
    tools_not_running,
)
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.client import supervisor
from harness.vmrun_qemu.client.guest import Guest, GuestRefusedError, GuestSilentError
from harness.vmrun_qemu.state.power import running

# How long the agent of a busy guest may take to answer at all, and to start a process or report its end. An end is
# reported once, so a late answer must not be missed.
_ALIVE_S = 10.0
_BEGIN_S = 30.0
_COMMAND_S = 120.0
_PROGRAM_S = 3600.0
# A query costs the guest some milliseconds.
_POLL_S = 0.2
# An agent that is silent for longer than a snapshot of its VM takes has lost the program.
_GONE_S = 600.0

# $1 is the user, $2 is `user` or `tools` (the account of the command), the rest is the command. The first line of
# standard input is the password, the rest is for the command. `+` on standard output: the password was right.
_ENTRY = r"""
user=$1 as=$2; shift 2
IFS= read -r password
for check in /usr/sbin/unix_chkpwd /sbin/unix_chkpwd; do [ -x "$check" ] && break; done
[ -x "$check" ] && command -v setpriv >/dev/null || exit 3
printf '%s\0' "$password" | "$check" "$user" nonull || exit 4
"$check" "$user" chkexpiry </dev/null >/dev/null 2>&1
[ $? != 13 ] || exit 4
printf +
cd /
[ "$as" = user ] || exec "$@"
exec setpriv --reuid="$user" --regid="$(id -g -- "$user")" --init-groups --reset-env -- "$@"
"""
_LOGGED_IN = b"+"
_NO_HELPERS = 3  # status of the entry script; any other one without a `+` is a refused login


class Login(NamedTuple):
    """A guest account, as `-gu` and `-gp` name it."""

    user: str
    password: str


class Outcome(NamedTuple):
    """The exit status and standard output of a guest command.

    A status of 128 and more stands for a signal.
    """

    status: int
    output: bytes


def login_of(flags: Mapping[str, str]) -> Login:
    """Return the guest account of the command line.

    Raises:
        Failure: None is given, or VMware would refuse it.
    """
    if not flags.get("-gu"):
        raise Failure(ANONYMOUS)
    password = flags.get("-gp", "")
    if not password:
        raise Failure(EMPTY_LOGIN)
    if "\n" in password or "\0" in password:
        raise Failure(BAD_LOGIN)
    return Login(flags["-gu"], password)


class GuestShell:
    """A guest account of a running VM; a context manager.

    Raises:
        Failure: The VM does not run, its Tools do not answer, or no account was given.
    """

    def __init__(self, vmx: str, flags: Flags) -> None:
        self.vmx = vmx
        record = running(vmx)
        self.guest = connect(vmx, record)
        try:
            self.login = login_of(flags)
            self._environment = supervisor.request(record, "environment", _BEGIN_S)
        except Failure:
            self.guest.close()
            raise

    def __enter__(self) -> GuestShell:
        """Return the shell."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection; programs in the guest continue."""
        self.guest.close()

    def run(self, script: str, *words: str, given: bytes = b"", as_tools: bool = False) -> Outcome:
        """Run a shell script in the guest; return how it ended.

        Args:
            script: For `sh`; its parameters are `words`.
            words: The parameters.
            given: Its standard input.
            as_tools: Run it as root, after the login; VMware Tools copy files that way.

        Raises:
            Failure: The login was refused, or the guest does not answer any more.
        """
        return self.run_long(script, *words, given=given, limit_s=_COMMAND_S, as_tools=as_tools)

    def run_long(
        self, script: str, *words: str, given: bytes = b"", limit_s: float | None = None, as_tools: bool = False
    ) -> Outcome:
        """Run a script that may take long, as `run`.

        `VMRUN_QEMU_PROGRAM_S` is the default limit.
        """
        if limit_s is None:
            limit_s = float(os.environ.get("VMRUN_QEMU_PROGRAM_S", _PROGRAM_S))
        extra = ["env", *(f"{name}={value}" for name, value in self._environment.items())] if self._environment else []
        pid = self._begin([*extra, "/bin/sh", "-c", script, "vmrun", *words], given, as_tools=as_tools)
        outcome = self._end(pid, limit_s)
        if not outcome.output.startswith(_LOGGED_IN):
            raise Failure(NOT_SUPPORTED if outcome.status == _NO_HELPERS else BAD_LOGIN)
        return Outcome(outcome.status, outcome.output.removeprefix(_LOGGED_IN))

    def _begin(self, command: Sequence[str], given: bytes, *, as_tools: bool) -> int:
        stdin = self.login.password.encode("utf-8", "surrogateescape") + b"\n" + given
        question = {
            "path": "/bin/sh",
            "arg": ["-c", _ENTRY, "vmrun", self.login.user, "tools" if as_tools else "user", *command],
            "input-data": base64.b64encode(stdin).decode("ascii"),
            "capture-output": True,
        }
        return int(self.ask("guest-exec", question, _BEGIN_S)["pid"])

    def _end(self, pid: int, limit_s: float) -> Outcome:
        silent_since: list[float] = []

        def ended() -> dict[str, Any] | None:
            try:
                status = self.guest.ask("guest-exec-status", {"pid": pid}, _BEGIN_S)
            except GuestSilentError:
                self._check_silence(silent_since)
                return None
            except GuestRefusedError as error:  # the guest was restarted
                raise tools_not_running(self.vmx) from error
            silent_since.clear()
            return dict(status) if status["exited"] else None

        status = wait_for(ended, limit_s, longest_s=_POLL_S)
        if status is None:
            raise Failure(TOOLS_TIMEOUT)
        code = status["exitcode"] if "exitcode" in status else 128 + int(status.get("signal", 0))
        return Outcome(int(code), base64.b64decode(status.get("out-data", "")))

    def _check_silence(self, since: list[float]) -> None:
        """Raise when a silent guest is off, or silent for too long."""
        running(self.vmx)
        since.append(time.monotonic())
        if since[-1] - since[0] > _GONE_S:
            raise tools_not_running(self.vmx)

    def ask(self, command: str, arguments: Mapping[str, Any], limit_s: float) -> Any:
        """Return the answer of the guest's agent.

        Raises:
            Failure: It does not answer, or refuses (an administrator of the guest may have disabled the command).
        """
        try:
            return self.guest.ask(command, arguments, limit_s)
        except GuestSilentError as error:
            raise tools_not_running(self.vmx) from error
        except GuestRefusedError as error:
            text = NOT_SUPPORTED if "disabled" in str(error) or "has not been found" in str(error) else UNKNOWN
            raise Failure(text) from error


def connect(vmx: str, record: Record) -> Guest:
    """Return the guest of a VM whose agent answers.

    Raises:
        Failure: It does not answer.
    """
    try:
        guest = Guest(record)
    except GuestSilentError as error:
        raise tools_not_running(vmx) from error
    try:
        state = guest.state(_ALIVE_S)
    except GuestSilentError:
        state = "unknown"
    if state != "running":
        guest.close()
        raise tools_not_running(vmx)
    return guest
