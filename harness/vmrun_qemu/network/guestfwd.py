"""One connection between a guest and a service on the host's loopback: the port that is the only argument.

QEMU starts this file for each connection that a guest opens to a service of its network (`guestfwd=…-cmd:`), with the
guest's end as standard input and output in one socket. It connects to 127.0.0.1 and to nothing else, whatever a guest
sends, and ends when both sides have ended. It imports nothing of this project, so that it starts in a moment.
"""

from __future__ import annotations

import selectors
import socket
import sys

_CHUNK_BYTES = 1 << 16


def main() -> int:
    """Carry bytes both ways until both ends have said their last."""
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
    """Return whether more may come from there; an end is passed on.

    Raises:
        OSError: One of the two is gone.
    """
    data = source.recv(_CHUNK_BYTES)
    if data:
        target.sendall(data)
        return True
    target.shutdown(socket.SHUT_WR)
    return False


if __name__ == "__main__":
    sys.exit(main())
