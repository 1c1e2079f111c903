"""Loopback ports of this host: hold one, or test one.

A port that was free a moment ago may be taken when it is used. On Linux a bound socket that does not listen
keeps every other choice of the kernel away from its port, and still lets the hypervisor listen there, because both have
SO_REUSEADDR (socket(7)). Elsewhere this does not work: the port is released at once, and its user has to handle a
clash, which `forward_ssh` does by choosing another port.
"""

from __future__ import annotations

import contextlib
import socket
import sys

LOOPBACK = "127.0.0.1"


class HeldPorts(contextlib.ExitStack):
    """Loopback ports that this process holds until `close` or its end."""

    def take(self, wanted: int = 0) -> int:
        """Hold a port and return it: the wanted one, or else any."""
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            holder.bind((LOOPBACK, wanted))
        except OSError:
            holder.bind((LOOPBACK, 0))
        port = int(holder.getsockname()[1])
        if sys.platform == "linux":
            # Set it after `bind`: before it, two holders could get the same port.
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.callback(holder.close)
        else:
            holder.close()
        return port


def port_is_free(port: int) -> bool:
    """Return whether a listener can take that loopback port.

    Raises:
        PermissionError: This user may not listen on it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        if sys.platform != "win32":  # On Windows SO_REUSEADDR would take a port that is in use.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except PermissionError:
            raise
        except OSError:
            return False
        return True
