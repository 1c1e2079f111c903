"""Relay one connection of a guest to the host's loopback.

QEMU starts this file for each connection that a guest opens to a service of its network (`guestfwd=…-cmd:`), with the
guest's end as standard input and output in one socket. The port is the only argument. It connects to 127.0.0.1 only,
whatever a guest sends, and ends when both sides have ended. It imports nothing of this project, to start quickly.
"""

from __future__ import annotations

import selectors
import socket
import sys

_CHUNK_BYTES = 1 << 16


def main() -> int:
    """Relay bytes both ways until both ends have closed."""
    guest = socket.socket(fileno=0)
    try:
        service = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
    except OSError:
        return 1
    service.settimeout(None)
    other = {guest: service, service: guest}
    with selectors.DefaultSelector() as selector:
        for end in other:
            selector.register(end, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                end = next(one for one in other if one is key.fileobj)
                try:
                    more = _carry(end, other[end])
                except OSError:
                    return 1  # the end of this process is the end of both connections
                if not more:
                    selector.unregister(end)
    return 0


def _carry(source: socket.socket, target: socket.socket) -> bool:
    """Relay one chunk or the end; return False at the end.

    Raises:
        OSError: One of the two connections is broken.
    """
    data = source.recv(_CHUNK_BYTES)
    if data:
        target.sendall(data)
        return True
    target.shutdown(socket.SHUT_WR)
    return False


if __name__ == "__main__":
    sys.exit(main())
