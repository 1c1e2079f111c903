"""Client of the QEMU guest agent, which stands in for VMware Tools.

The protocol is JSON lines over a virtio serial port. One connection is kept for as long as the VM runs: an agent
without one polls for work only ten times a second. Without an agent in the guest the port swallows every message, so
each one has a deadline.
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

# An agent that answered this recently is taken to be alive; otherwise it is checked before the next command.
_ALIVE_S = 1.0
# After this silence QEMU is asked whether the guest has the port open at all.
_SILENCE_S = 0.5
_CONNECT_S = 5.0
# Tokens of `guest-sync` differ from those of an earlier supervisor of the same guest.
_tokens = itertools.count(time.time_ns() // 1_000_000 % (1 << 30))


class AgentSilentError(Exception):
    """The agent does not answer; it is missing or not up yet."""


class AgentClosedError(AgentSilentError):
    """No program in the guest has the port open."""


class AgentRefusedError(Exception):
    """The agent answered with an error; the text is its own."""


class Agent:
    """Thread-safe connection to the guest agent; one command at a time.

    Args:
        address: QEMU's end of the port.
        port_is_open: Asks QEMU whether a program in the guest has the port open.
    """

    def __init__(self, address: str, port_is_open: Callable[[], bool]) -> None:
        self._address = address
        self._port_is_open = port_is_open
        self._stream: LineStream | None = None
        self._answered: float | None = None  # time of the last answer on this connection
        self._seen = False
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Connect early, so that the agent answers the first command at once.

        QEMU may be too busy; the next command connects then.
        """
        end = time.monotonic() + _CONNECT_S
        with contextlib.suppress(AgentSilentError), self._locked(end):
            self._connected(end)

    def state(self, limit_s: float) -> str:
        """Return the state of the agent: `running`, `installed` or `unknown`.

        `running`: the agent answers. `installed`: the guest has the port open, or the agent answered since power-on.
        """
        end = time.monotonic() + limit_s
        try:
            with self._locked(end):
                self._sync(end)
        except AgentClosedError:
            return "installed" if self._seen else "unknown"
        except AgentSilentError:
            return "installed"
        return "running"

    def ask(self, command: str, arguments: Mapping[str, Any], limit_s: float) -> Any:
        """Return the agent's answer.

        Raises:
            AgentSilentError: There was no answer within `limit_s` seconds.
            AgentRefusedError: The agent answered with an error.
        """
        end = time.monotonic() + limit_s
        with self._locked(end):
            self._ensure_alive(end)
            self._send(_message(command, arguments), end)
            answer = self._receive(end)
        if "error" in answer:
            raise AgentRefusedError(str(answer["error"].get("desc", answer["error"])))
        return answer.get("return")

    def send(self, command: str, arguments: Mapping[str, Any], limit_s: float) -> None:
        """Send a command without an answer, such as `guest-shutdown`.

        Raises:
            AgentSilentError: The agent does not answer.
        """
        end = time.monotonic() + limit_s
        with self._locked(end):
            self._ensure_alive(end)
            self._send(_message(command, arguments), end)
            self._answered = None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._disconnected(AgentSilentError("closed"))

    @contextlib.contextmanager
    def _locked(self, end: float) -> Iterator[None]:
        """Lock the connection.

        Raises:
            AgentSilentError: It is busy with another command.
        """
        if not self._lock.acquire(timeout=max(0.0, end - time.monotonic())):
            raise AgentSilentError("the agent is busy with another command")
        try:
            yield
        finally:
            self._lock.release()

    def _ensure_alive(self, end: float) -> None:
        if self._answered is None or time.monotonic() - self._answered > _ALIVE_S:
            self._sync(end)

    def _sync(self, end: float) -> None:
        """Synchronize with the agent; skip answers to older commands."""
        if self._answered is None and not self._port_is_open():
            raise AgentClosedError("no program in the guest has the agent's port open")
        token = next(_tokens)
        # 0xFF makes the agent drop a half line that an earlier connection left (QEMU's qga protocol).
        self._send(_message("guest-sync", {"id": token}), end, before=b"\xff")
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

    def _send(self, message: Mapping[str, Any], end: float, before: bytes = b"") -> None:
        stream = self._connected(end)
        try:
            stream.send(message, end, before=before)
        except OSError as error:
            raise self._disconnected(AgentSilentError(str(error))) from error

    def _receive(self, end: float) -> dict[str, Any]:
        stream = self._connected(end)
        try:
            answer = stream.receive(min(end, time.monotonic() + _SILENCE_S))
        except TimeoutError:
            answer = self._receive_late(stream, end)
        except OSError as error:
            raise self._disconnected(AgentSilentError(str(error))) from error
        if answer is None:
            raise self._disconnected(AgentSilentError("QEMU closed the port"))
        self._answered = time.monotonic()
        return answer

    def _receive_late(self, stream: LineStream, end: float) -> dict[str, Any] | None:
        if not self._port_is_open():
            raise self._disconnected(AgentClosedError("the program in the guest has closed the agent's port"))
        try:
            return stream.receive(end)
        except OSError as error:
            raise self._disconnected(AgentSilentError(str(error))) from error

    def _disconnected(self, error: AgentSilentError) -> AgentSilentError:
        """Close the connection and return the error.

        A command that the agent did not read is dropped, and not executed when the agent comes back.
        """
        self._answered = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        return error


def _message(command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"execute": command, "arguments": dict(arguments)} if arguments else {"execute": command}
