"""The QEMU guest agent, which plays VMware Tools: JSON lines over a virtio serial port.

Without an agent in the guest the port swallows every question, so each one has a deadline.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from harness.vmrun_qemu.endpoint import Endpoint


class AgentSilentError(Exception):
    """Nobody answers at the port: no agent, or one that is not up yet."""


class AgentRefusedError(Exception):
    """The agent answered with an error."""


class Agent:
    """A conversation with the guest's agent; other conversations wait until this one is closed."""

    def __init__(self, address: str, timeout_s: float) -> None:
        self._end = time.monotonic() + timeout_s
        self._buffer = b""
        try:
            self._socket = Endpoint(address).connect(timeout_s)
        except OSError as error:
            raise AgentSilentError(str(error)) from error

    def __enter__(self) -> Agent:
        """Return the conversation, in step with the agent: answers to older questions are behind us."""
        token = secrets.randbelow(1 << 30)
        try:
            # 0xFF makes the agent drop a half line that an earlier conversation left (QEMU's qga protocol).
            self._send(b"\xff" + _line("guest-sync", {"id": token}))
            while self._receive().get("return") != token:
                continue
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """Return the agent's answer.

        Raises:
            AgentSilentError: Nobody answered within the conversation's time.
            AgentRefusedError: It answered with an error.
        """
        self.tell(command, arguments)
        answer = self._receive()
        if "error" in answer:
            raise AgentRefusedError(str(answer["error"].get("desc", answer["error"])))
        return answer.get("return")

    def tell(self, command: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Send a command that has no answer on success, as `guest-shutdown` has none."""
        self._send(_line(command, arguments or {}))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise AgentSilentError(str(error)) from error

    def _receive(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            left = self._end - time.monotonic()
            if left <= 0:
                raise AgentSilentError("no answer")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise AgentSilentError(str(error)) from error
            if not data:
                raise AgentSilentError("QEMU closed the port")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            answer = json.loads(line.lstrip(b"\xff"))
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}


def _line(command: str, arguments: Mapping[str, Any]) -> bytes:
    question: dict[str, Any] = {"execute": command}
    if arguments:
        question["arguments"] = dict(arguments)
    return json.dumps(question).encode("utf-8") + b"\n"
