"""JSON lines over a stream socket.

The protocol of the guest agent and of the supervisor.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from typing import Any


class LineStream:
    """A connected socket that carries JSON lines.

    Each operation has a deadline `end` on the monotonic clock.
    """

    def __init__(self, stream: socket.socket) -> None:
        self._socket = stream
        self._buffer = b""

    def send(self, value: Mapping[str, Any], end: float, *, before: bytes = b"") -> None:
        """Send the object, with the bytes `before` in front of it.

        Raises:
            OSError: It could not be sent before the deadline.
        """
        self._wait_until(end)
        self._socket.sendall(before + json.dumps(value).encode("ascii") + b"\n")

    def receive(self, end: float) -> dict[str, Any] | None:
        """Return the next object; None when the other side closed the connection.

        A line that is no JSON object is an empty one.

        Raises:
            OSError: No whole line arrived before the deadline (`TimeoutError`), or the connection is broken.
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
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _wait_until(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer")
        self._socket.settimeout(left)
