"""Request server of the supervisor: one JSON line per request and answer.

    {"request": "state", "limit_s": 3}                                          -> {"answer": "running"}
    {"request": "agent", "command": …, "arguments": …, "limit_s": 3}            -> {"answer": …}
    {"request": "agent-no-reply", "command": …, "arguments": …, "limit_s": 3}   -> {"answer": null}
    {"request": "operation", "operation": "suspend", …}                         -> {"answer": …}

The answer may also be {"silent": why}: the guest agent did not answer; {"refused": why}: the agent answered with an
error; or {"failed": text}: the operation failed, and `vmrun` prints that text.
The supervisor keeps the one connection to the guest agent (see `guest_agent`), so that a request needs neither a
connection through QEMU nor, in the program that sends it, QEMU's client library.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.json_lines import LineStream
from harness.vmrun_qemu.base.messages import UNKNOWN, Failure
from harness.vmrun_qemu.qemu.guest_agent import Agent, AgentRefusedError, AgentSilentError

Request = Mapping[str, Any]
# A client closes the connection after its answer; one that does not is disconnected after this time.
_IDLE_S = 3600.0


class RequestServer:
    """Listener with one thread per connection; the threads end with the process."""

    def __init__(self, endpoint: Endpoint, agent: Agent, handle_operation: Callable[[Request], Any]) -> None:
        self._listener = endpoint.listen()
        self._agent = agent
        self._handlers: dict[str, Callable[[Request], Any]] = {
            "state": lambda request: agent.state(request["limit_s"]),
            "agent": lambda request: agent.ask(request["command"], request["arguments"], request["limit_s"]),
            "operation": handle_operation,
            "agent-no-reply": lambda request: agent.send(request["command"], request["arguments"], request["limit_s"]),
        }

    def start(self) -> None:
        """Start to accept connections."""
        threading.Thread(target=self._agent.connect, daemon=True).start()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening and close the agent connection."""
        with contextlib.suppress(OSError):  # on some systems this fails, on others it ends the wait in `accept`
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._agent.close()

    def answer(self, request: Request) -> dict[str, Any]:
        """Return the answer to one request."""
        handler = self._handlers.get(str(request.get("request")))
        if handler is None:
            return {"refused": f"not a request: {request}"}
        try:
            return {"answer": handler(request)}
        except AgentSilentError as error:
            return {"silent": str(error)}
        except AgentRefusedError as error:
            return {"refused": str(error)}
        except Failure as failure:
            return {"failed": failure.text}
        except Exception as error:  # noqa: BLE001 - the client gets the error, and the VM keeps running
            return {"failed": f"{UNKNOWN}: {type(error).__name__}: {error}"}

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            lines = LineStream(client)
            try:
                while (request := lines.receive(time.monotonic() + _IDLE_S)) is not None:
                    lines.send(self.answer(request), time.monotonic() + _IDLE_S)
            except OSError:
                return
