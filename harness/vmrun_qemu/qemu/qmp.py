"""QEMU's machine protocol, one short session per question, through QEMU's own client library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.messages import UNKNOWN, Failure

_TIMEOUT_S = 20.0


class QmpError(Failure):
    """QEMU is not there, does not answer, or refuses the command; `str` is its own text, `vmrun` has no word for it."""

    def __init__(self, said: str) -> None:
        super().__init__(f"{UNKNOWN}: {said}")
        self.said = said

    def __str__(self) -> str:
        return self.said


class QmpSilentError(QmpError):
    """QEMU holds the connection and says nothing: it is stuck or stopped."""


Command = tuple[str, Mapping[str, Any]]


def ask(address: str, *commands: Command, timeout_s: float = _TIMEOUT_S) -> list[Any]:
    """Return QEMU's answer to each of the commands, sent in one session.

    Other sessions to the same QEMU wait in its queue: it serves one at a time.

    Raises:
        QmpError: On the first command that fails, or when `timeout_s` seconds have passed.
    """
    from harness.vmrun_qemu.qemu import qmp_client  # noqa: PLC0415 - 65 ms, only for a command that asks QEMU

    try:
        return qmp_client.run_session(Endpoint(address), commands, timeout_s)
    except TimeoutError as error:
        raise QmpSilentError(f"QEMU did not answer within {timeout_s:.0f} s") from error
    except qmp_client.CommandError as error:
        raise QmpError(str(error)) from error
    except ConnectionError as error:
        raise QmpError(f"QEMU is not there: {error}") from error


def human(address: str, line: str) -> str:
    """Return what QEMU's human monitor prints for that line; empty is usually success.

    Raises:
        QmpError: See `ask`.
    """
    return str(ask(address, ("human-monitor-command", {"command-line": line}))[0]).strip()


def is_up(address: str) -> bool:
    """Return whether QEMU answers there."""
    try:
        ask(address, ("query-status", {}), timeout_s=5.0)
    except QmpError:
        return False
    return True


def port_is_open(address: str, chardev: str) -> bool:
    """Return whether a program in the guest has that serial port open."""
    try:
        ports = ask(address, ("query-chardev", {}), timeout_s=5.0)[0]
    except QmpError:
        return False
    return any(port.get("label") == chardev and port.get("frontend-open") for port in ports)


def quit_qemu(address: str) -> bool:
    """Tell QEMU to end; return False if it is stuck. It closes the connection, and may be gone already."""
    try:
        ask(address, ("quit", {}), timeout_s=10.0)
    except QmpSilentError:
        return False
    except QmpError:
        return True
    return True
