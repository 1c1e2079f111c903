"""Streams through an SSH connection to addresses that only the guest reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.guest.channel import ChannelLost
from harness.guest.ssh_connection import connection_errors

if TYPE_CHECKING:
    from harness.guest.ssh_connection import Transport


class Stream(Protocol):
    """A connection, as a socket offers it."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of the data."""

    def recv(self, size: int, /) -> bytes:
        """Return the next bytes; empty at the end."""

    def close(self) -> None:
        """Close the connection."""


def open_stream(transport: Transport, address: str, port: int, timeout_s: float) -> Stream:
    """Let the guest's sshd connect to an address; return the stream.

    Raises:
        ChannelLost: The connection ended, or sshd or the address refused.
    """
    try:
        channel = transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=timeout_s)
    except connection_errors() as error:
        raise ChannelLost(
            f"the guest's sshd does not connect to {address}:{port}: {error}",
            where=f"{address}:{port}",
            remedy="let sshd forward connections (`AllowTcpForwarding`), and check that the address answers",
        ) from error
    channel.settimeout(timeout_s)
    return channel
