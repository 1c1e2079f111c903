"""The QEMU guest agent, which plays VMware Tools: JSON lines over a virtio serial port.

One line to it is kept for as long as the machine runs: an agent to which nobody is connected looks for work ten times a
second only. Without an agent in the guest the port swallows every question, so each one has a deadline.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.json_lines import LineStream

# An agent that answered this long ago is believed to be there; after that it is asked before it is told to do anything.
_FRESH_S = 1.0
# So long an agent may be silent before QEMU is asked whether it is there at all.
_PATIENCE_S = 0.5
_CONNECT_S = 5.0
# Tokens of `guest-sync` differ from those of an earlier supervisor of the same guest.
_tokens = itertools.count(time.time_ns() // 1_000_000 % (1 << 30))


class AgentSilentError(Exception):
    """Nobody answers at the port: no agent, or one that is not up yet."""


class AgentClosedError(AgentSilentError):
    """No program in the guest has the port open."""


class AgentRefusedError(Exception):
    """The agent answered with an error; the text is its own."""


class Agent:
    """The line to the guest's agent; questions of several threads wait for each other.

    Args:
        address: QEMU's end of the port.
        port_is_open: Asks QEMU whether a program in the guest has the port open.
    """

    def __init__(self, address: str, port_is_open: Callable[[], bool]) -> None:
        self._address = address
        self._port_is_open = port_is_open
        self._stream: LineStream | None = None
        self._answered: float | None = None  # when, on this connection
        self._seen = False
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Have the line up, so that the agent answers the first question at once; QEMU may be too busy for it."""
        end = time.monotonic() + _CONNECT_S
        with contextlib.suppress(AgentSilentError), self._held(end):
            self._connected(end)

    def state(self, limit_s: float) -> str:
        """Return `running` when the agent answers; `installed` when the guest has the port open, or the agent answered
        since power-on; else `unknown`.
        """
        end = time.monotonic() + limit_s
        try:
            with self._held(end):
                self._sync(end)
        except AgentClosedError:
            return "installed" if self._seen else "unknown"
        except AgentSilentError:
            return "installed"
        return "running"

    def ask(self, command: str, arguments: Mapping[str, Any], limit_s: float) -> Any:
        """Return the agent's answer.

        Raises:
            AgentSilentError: Nobody answered within `limit_s` seconds.
            AgentRefusedError: The agent answered with an error.
        """
        end = time.monotonic() + limit_s
        with self._held(end):
            self._check(end)
            self._send(_question(command, arguments), end)
            answer = self._receive(end)
        if "error" in answer:
            raise AgentRefusedError(str(answer["error"].get("desc", answer["error"])))
        return answer.get("return")

    def send(self, command: str, arguments: Mapping[str, Any], limit_s: float) -> None:
        """Send a command that has no answer on success, as `guest-shutdown` has none, to an agent that is there.

        Raises:
            AgentSilentError: It is not.
        """
        end = time.monotonic() + limit_s
        with self._held(end):
            self._check(end)
            self._send(_question(command, arguments), end)
            self._answered = None

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._lost(AgentSilentError("closed"))

    @contextlib.contextmanager
    def _held(self, end: float) -> Iterator[None]:
        """Have the line for oneself.

        Raises:
            AgentSilentError: It is busy with somebody else's question.
        """
        if not self._lock.acquire(timeout=max(0.0, end - time.monotonic())):
            raise AgentSilentError("the agent is busy with another question")
        try:
            yield
        finally:
            self._lock.release()

    def _check(self, end: float) -> None:
        if self._answered is None or time.monotonic() - self._answered > _FRESH_S:
            self._sync(end)

    def _sync(self, end: float) -> None:
        """Return when the agent has answered a question without effect; answers to older questions are behind us."""
        if self._answered is None and not self._port_is_open():
            raise AgentClosedError("no program in the guest has the agent's port open")
        token = next(_tokens)
        # 0xFF makes the agent drop a half line that an earlier conversation left (QEMU's qga protocol).
        self._send(_question("guest-sync", {"id": token}), end, before=b"\xff")
        while self._receive(end).get("return") != token:
            continue
        self._seen = True

    def _connected(self, end: float) -> LineStream:
        if self._stream is None:
            try:
                self._stream = LineStream(Endpoint(self._address).connect(max(0.1, end - time.monotonic())))
            except OSError as error:
                raise AgentSilentError(str(error)) from error
        return self._stream

    def _send(self, question: Mapping[str, Any], end: float, before: bytes = b"") -> None:
        stream = self._connected(end)
        try:
            stream.send(question, end, before=before)
        except OSError as error:
            raise self._lost(AgentSilentError(str(error))) from error

    def _receive(self, end: float) -> dict[str, Any]:
        stream = self._connected(end)
        try:
            answer = stream.receive(min(end, time.monotonic() + _PATIENCE_S))
        except TimeoutError:
            answer = self._receive_late(stream, end)
        except OSError as error:
            raise self._lost(AgentSilentError(str(error))) from error
        if answer is None:
            raise self._lost(AgentSilentError("QEMU closed the port"))
        self._answered = time.monotonic()
        return answer

    def _receive_late(self, stream: LineStream, end: float) -> dict[str, Any] | None:
        if not self._port_is_open():
            raise self._lost(AgentClosedError("the program in the guest has closed the agent's port"))
        try:
            return stream.receive(end)
        except OSError as error:
            raise self._lost(AgentSilentError(str(error))) from error

    def _lost(self, error: AgentSilentError) -> AgentSilentError:
        """Close the connection, and return the error: what the agent did not take is not done when it comes back."""
        self._answered = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        return error


def _question(command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"execute": command, "arguments": dict(arguments)} if arguments else {"execute": command}
