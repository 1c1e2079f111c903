"""QMP client: one short session per call, by QEMU's own library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.vmrun_qemu.base.messages import UNKNOWN, Failure

TIMEOUT_S = 20.0


class QmpError(Failure):
    """QEMU does not run, does not answer, or refuses the command.

    `str` is QEMU's own text; `vmrun` prints it as an unknown error.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"{UNKNOWN}: {reason}")
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class QmpSilentError(QmpError):
    """QEMU accepts the connection and does not answer."""


Command = tuple[str, Mapping[str, Any]]


def ask(address: str, *commands: Command, timeout_s: float = TIMEOUT_S) -> list[Any]:
    """Return QEMU's answer to each of the commands, sent in one session.

    Other sessions to the same QEMU wait in its queue: it serves one at a time.

    Raises:
        QmpError: On the first command that fails, or when `timeout_s` seconds have passed.
    """
    from harness.vmrun_qemu.base.endpoint import Endpoint  # noqa: PLC0415 - 30 ms, as the next one
    from harness.vmrun_qemu.qemu import qmp_client  # noqa: PLC0415 - 65 ms, only for a command that asks QEMU

    try:
        return qmp_client.run_session(Endpoint(address), commands, timeout_s)
    except TimeoutError as error:
        raise QmpSilentError(f"QEMU did not answer within {timeout_s:.0f} s") from error
    except qmp_client.CommandError as error:
        raise QmpError(str(error)) from error
    except ConnectionError as error:
        raise QmpError(f"QEMU does not run: {error}") from error


def human(address: str, line: str) -> str:
    """Return the human monitor's output; empty is usually success.

    Raises:
        QmpError: See `ask`.
    """
    return str(ask(address, ("human-monitor-command", {"command-line": line}))[0]).strip()


def is_up(address: str) -> bool:
    """Return whether QEMU answers at the address."""
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
    """Request QEMU to end; return False if it hangs.

    It closes the connection, and may have ended already.
    """
    try:
        ask(address, ("quit", {}), timeout_s=10.0)
    except QmpSilentError:
        return False
    except QmpError:
        return True
    return True
