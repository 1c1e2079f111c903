"""JSON objects, one on a line, over a stream socket: the language of the guest agent and of the supervisor."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any


class LineStream:
    """A connected socket that carries JSON lines; every wait ends at a moment of the monotonic clock."""

    def __init__(self, stream: socket.socket) -> None:
        self._socket = stream
        self._buffer = b""

    def send(self, value: Mapping[str, Any], end: float, *, before: bytes = b"") -> None:
        """Have the object on its way, with the bytes `before` in front of it.

        Raises:
            OSError: Nobody takes it until `end`.
        """
        self._wait_until(end)
        self._socket.sendall(before + json.dumps(value).encode("ascii") + b"\n")

    def receive(self, end: float) -> dict[str, Any] | None:
        """Return the next object, empty for a line that holds none; None when the other side has hung up.

        Raises:
            OSError: No whole line has come until `end` (`TimeoutError`), or the connection is broken.
        """
        while b"\n" not in self._buffer:
            self._wait_until(end)
            data = self._socket.recv(1 << 20)
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            value = json.loads(line.lstrip(b"\xff"))
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _wait_until(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer")
        self._socket.settimeout(left)
