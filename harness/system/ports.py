"""Loopback ports of this host, held from the moment they are chosen.

A port that was merely free a moment ago may be anybody's when it is used. On Linux a bound socket that does not listen
keeps every other choice of the kernel away from its port, and still lets the hypervisor listen there, because both have
SO_REUSEADDR (socket(7)). Elsewhere that is not so: the port is let go at once, and whoever uses it has to cope with a
clash, which `forward_ssh` does by taking another one.
"""

from __future__ import annotations

import contextlib
import socket
import sys

LOOPBACK = "127.0.0.1"


class HeldPorts(contextlib.ExitStack):
    """Ports of the loopback that this process holds until it is closed, or ends in any other way."""

    def take(self, wanted: int = 0) -> int:
        """Return a port that nobody else has and that is held from now on: the wanted one if it can be had, or any."""
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            holder.bind((LOOPBACK, wanted))
        except OSError:
            holder.bind((LOOPBACK, 0))
        port = int(holder.getsockname()[1])
        if sys.platform == "linux":
            # After `bind`: before it, two holders could have the same port.
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.callback(holder.close)
        else:
            holder.close()
        return port
