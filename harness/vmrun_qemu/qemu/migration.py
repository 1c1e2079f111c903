"""Save and load a VM's memory by migration.

The other end of the migration is this program, over a socket (a loopback port on Windows): QEMU 7.2 knows no `file:`,
and Windows no `exec:`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
from typing import Any, BinaryIO

from harness.vmrun_qemu.base import endpoint
from harness.vmrun_qemu.base.messages import Failure, of_os_error
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.qemu import qmp

_TIMEOUT_S = 1800.0
# Limit for the end of a failed migration.
_LAST_S = 20.0
_PIECE = 1 << 20
# Bytes per second; QEMU's own limit would be a tenth of what a disk takes.
_BANDWIDTH = 1 << 36


def save(address: str, socket_dir: str, target: BinaryIO, *, timeout_s: float = _TIMEOUT_S) -> None:
    """Append the migration stream of a stopped VM to `target`, within `timeout_s` seconds.

    Raises:
        Failure: The file system is full or broken.
        QmpError: The migration failed.
    """
    where = endpoint.new_endpoint(socket_dir, f"memory-{secrets.token_hex(4)}")
    server = where.listen()
    receiver = _Receiver(server, target)
    receiver.start()
    try:
        command = ("migrate", {"uri": where.migration_uri})
        qmp.ask(address, ("migrate-set-parameters", {"max-bandwidth": _BANDWIDTH}), command)
        status = wait_for(lambda: _status(address), timeout_s) or _canceled(address, timeout_s)
        completed = status["status"] == "completed"
        if completed:
            receiver.join(timeout_s)
    finally:
        with contextlib.suppress(OSError):  # on some systems this fails, on others it ends the wait in `accept`
            server.shutdown(socket.SHUT_RDWR)
        server.close()
    receiver.join(_LAST_S)
    if receiver.problem is not None:
        raise Failure(of_os_error(receiver.problem))
    if not completed or receiver.is_alive():
        raise qmp.QmpError(f"the memory was not saved: {status}")


def load(address: str, socket_dir: str, source: BinaryIO) -> None:
    """Load the migration stream into a QEMU started with `-incoming defer -S`.

    Its vCPUs stay stopped.

    Raises:
        QmpError: The stream does not fit the VM.
    """
    where = endpoint.new_endpoint(socket_dir, f"memory-{secrets.token_hex(4)}")
    qmp.ask(address, ("migrate-incoming", {"uri": where.migration_uri}))
    try:
        with where.connect(_TIMEOUT_S) as stream:
            while piece := source.read(_PIECE):
                stream.sendall(piece)
    except OSError as error:
        raise qmp.QmpError(f"the saved memory could not be loaded: {error}") from error
    ended = wait_for(lambda: _status(address), _TIMEOUT_S) or {"status": "slow"}
    if ended["status"] != "completed":
        raise qmp.QmpError(f"the saved memory could not be loaded: {ended}")


def _status(address: str) -> dict[str, Any] | None:
    """Return the final state of the migration, or None while it runs."""
    answer = qmp.ask(address, ("query-migrate", {}))[0]
    return answer if answer.get("status") in ("completed", "failed", "cancelled") else None


def _canceled(address: str, timeout_s: float) -> dict[str, Any]:
    """Cancel a migration that takes too long; return its final state."""
    qmp.ask(address, ("migrate_cancel", {}))
    wait_for(lambda: _status(address), _LAST_S)
    return {"status": f"canceled after {timeout_s:.0f} s"}


class _Receiver(threading.Thread):
    """Thread that writes one connection to a file; `problem` is its error."""

    def __init__(self, server: socket.socket, target: BinaryIO) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._target = target
        self.problem: OSError | None = None

    def run(self) -> None:
        try:
            stream, _ = self._server.accept()
        except OSError:
            return  # QEMU did not connect
        with stream:
            try:
                while piece := stream.recv(_PIECE):
                    self._target.write(piece)
                self._target.flush()
                os.fsync(self._target.fileno())
            except OSError as error:
                self.problem = error
