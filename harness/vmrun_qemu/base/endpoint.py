"""Endpoints: the addresses where QEMU and the supervisor listen.

A Unix socket on POSIX, a loopback TCP port on Windows.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import NamedTuple

# The longest path that a Unix socket address holds is 107 bytes (unix(7)): sockets live in a directory of their own.
_PREFIX = "vq-"


class Endpoint(NamedTuple):
    """A listening address; `text` is a socket path, or `host:port`."""

    text: str

    @property
    def is_tcp(self) -> bool:
        """Whether this is a TCP address."""
        return not os.path.isabs(self.text)  # noqa: PTH117 - the text is no path when it is TCP

    @property
    def host_port(self) -> tuple[str, int]:
        """The TCP address."""
        host, _, port = self.text.rpartition(":")
        return host, int(port)

    def chardev(self, name: str) -> str:
        """Return the `-chardev` value of a listening socket.

        QEMU does not wait for a client.
        """
        if self.is_tcp:
            host, port = self.host_port
            return f"socket,id={name},host={host},port={port},server=on,wait=off"
        return f"socket,id={name},path={quoted(self.text)},server=on,wait=off"

    def netdev(self, name: str) -> str:
        """Return the `-netdev stream` value of a listening socket.

        QEMU 7.2 and newer have it.
        """
        if self.is_tcp:
            host, port = self.host_port
            return f"stream,id={name},server=on,addr.type=inet,addr.host={host},addr.port={port}"
        return f"stream,id={name},server=on,addr.type=unix,addr.path={quoted(self.text)}"

    @property
    def migration_uri(self) -> str:
        """The address as QMP's `migrate` and `migrate-incoming` want it."""
        return ("tcp:" if self.is_tcp else "unix:") + self.text

    def qapi(self) -> dict[str, str]:
        """Return the address as QMP's `netdev_add` wants it."""
        if self.is_tcp:
            host, port = self.host_port
            return {"type": "inet", "host": host, "port": str(port)}
        return {"type": "unix", "path": self.text}

    def listen(self) -> socket.socket:
        """Return a socket that listens here.

        Raises:
            OSError: Another process listens here, or the address cannot be bound.
        """
        if self.is_tcp:
            return socket.create_server(self.host_port)
        if sys.platform == "win32":
            raise OSError("a Unix socket on Windows")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(self.text)
            listener.listen()
        except OSError:
            listener.close()
            raise
        return listener

    def connect(self, timeout_s: float) -> socket.socket:
        """Return a connected stream socket; `timeout_s` limits each of its operations.

        Raises:
            OSError: No process listens here.
        """
        if self.is_tcp:
            return socket.create_connection(self.host_port, timeout=timeout_s)
        if sys.platform == "win32":
            raise OSError("a Unix socket on Windows")
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(timeout_s)
        try:
            stream.connect(self.text)
        except OSError:
            stream.close()
            raise
        return stream


def quoted(value: str) -> str:
    """Return `value` escaped for a QEMU option: a comma is doubled."""
    return value.replace(",", ",,")


def new_socket_dir() -> str:
    """Return a short path for a new socket directory; empty on Windows.

    The caller saves it in a record before `make_socket_dir` creates it, so that a crash leaves no unknown directory.
    """
    # Not $XDG_RUNTIME_DIR: it is removed at logout, and VMs outlive it. Not $TMPDIR: it may be long.
    return "" if sys.platform == "win32" else str(Path("/", "tmp", _PREFIX + os.urandom(6).hex()))


def make_socket_dir(path: str) -> None:
    """Create a socket directory that only this user can enter.

    Raises:
        OSError: The path exists, or it cannot be created.
    """
    if path:
        Path(path).mkdir(mode=0o700)


def remove_socket_dir(path: str) -> None:
    """Remove a directory of `make_socket_dir` with its sockets.

    It need not exist; any other path is ignored.
    """
    import shutil  # noqa: PLC0415 - 3 ms that a question to a running VM does not pay

    if path and Path(path).name.startswith(_PREFIX):
        shutil.rmtree(path, ignore_errors=True)


def new_endpoint(socket_dir: str, name: str) -> Endpoint:
    """Return an address on which no process listens yet."""
    if socket_dir:
        return Endpoint(str(Path(socket_dir) / name))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Endpoint(f"127.0.0.1:{probe.getsockname()[1]}")
