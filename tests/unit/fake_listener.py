"""A listening socket of the loopback that can be closed while a thread waits at it, on every system."""

from __future__ import annotations

import contextlib
import socket


class FakeListener:
    """Listens on the loopback, at a free port where none is given."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        self._closing = False
        self.port: int = self._socket.getsockname()[1]

    def narrow(self, receive_bytes: int) -> None:
        """Have accepted connections hold no more than that of what was not read."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)

    def accept(self) -> socket.socket | None:
        """Return the next connection, or None for good once the listener is closed."""
        with contextlib.suppress(OSError):
            connection, _ = self._socket.accept()
            if not self._closing:
                return connection
            connection.close()
        return None

    def close(self) -> None:
        """End each wait in `accept` and free the port; closing alone ends none on some systems."""
        self._closing = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        self._socket.close()
