"""What the supervisor does for `vmrun-qemu` while its machine runs: it answers questions, one JSON line each.

    {"ask": "state", "limit_s": 3}                                  -> {"answer": "running"}
    {"ask": "agent", "command": …, "arguments": …, "limit_s": 3}    -> {"answer": …}
    {"ask": "tell", "command": …, "arguments": …, "limit_s": 3}     -> {"answer": null}
    {"ask": "order", "order": "suspend", …}                         -> {"answer": …}

An answer may also be {"silent": why}: nobody in the guest answered; {"refused": why}: the agent did, with an error; or
{"failed": text}: the order was not carried out, and that is what `vmrun` says.
The supervisor keeps the one line to the guest's agent (see `agent`), so that a question costs neither a connection
through QEMU nor, in the program that asks, QEMU's client library.
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

Question = Mapping[str, Any]
# A program that asks hangs up when it has its answer; one that forgot to is hung up on.
_IDLE_S = 3600.0


class Service:
    """The listening end; each connection has a thread of its own, which ends with this process."""

    def __init__(self, endpoint: Endpoint, agent: Agent, obey: Callable[[Question], Any]) -> None:
        self._listener = endpoint.listen()
        self._agent = agent
        self._desks: dict[str, Callable[[Question], Any]] = {
            "state": lambda question: agent.state(question["limit_s"]),
            "agent": lambda question: agent.ask(question["command"], question["arguments"], question["limit_s"]),
            "order": obey,
            "tell": lambda question: agent.tell(question["command"], question["arguments"], question["limit_s"]),
        }

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self._agent.connect, daemon=True).start()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more, and hang up on the agent."""
        with contextlib.suppress(OSError):  # on some systems this fails, on others it ends the wait in `accept`
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._agent.close()

    def answer(self, question: Question) -> dict[str, Any]:
        """Return the answer to one question."""
        desk = self._desks.get(str(question.get("ask")))
        if desk is None:
            return {"refused": f"not a question: {question}"}
        try:
            return {"answer": desk(question)}
        except AgentSilentError as error:
            return {"silent": str(error)}
        except AgentRefusedError as error:
            return {"refused": str(error)}
        except Failure as failure:
            return {"failed": failure.text}
        except Exception as error:  # noqa: BLE001 - who asked is told, and the machine runs on
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
                while (question := lines.receive(time.monotonic() + _IDLE_S)) is not None:
                    lines.send(self.answer(question), time.monotonic() + _IDLE_S)
            except OSError:
                return
