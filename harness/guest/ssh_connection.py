"""Connect to a guest's sshd and check its host key.

No account is named before that. This is the only module that imports paramiko, and only for a connection: the import
costs up to half a second. It reads no settings of the user: no agent, no keys of the home directory, no `known_hosts`,
no `ssh_config`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import logging
import socket
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from harness.core.deadline import Deadline
from harness.guest.channel import ConnectFailed, HostKeyMismatch
from harness.guest.watched import Watch, watched

if TYPE_CHECKING:
    import paramiko

    Transport: TypeAlias = paramiko.Transport
    PrivateKey: TypeAlias = paramiko.PKey
    SessionChannel: TypeAlias = paramiko.Channel

# The guest's kernel answers a TCP connection, also where sshd is slow; it is tried four times in this time.
_TCP_S = 8.0
_NO_BANNER = "the port is open, but no SSH server answers in time"
# Signature algorithms of an RSA host key (RFC 8332); other key types have one, with the name of the type.
_RSA_ALGORITHMS = ("rsa-sha2-512", "rsa-sha2-256")


@dataclass(frozen=True)
class SshTarget:
    """Address, account and keys of an SSH login.

    Attributes:
        name: Name of the machine, for error texts.
        host: Address or name.
        port: TCP port.
        user: Account in the guest.
        key_path: The lab's private key.
        host_key: `ssh-ed25519 AAAA…`, pinned; None pins the first key that is seen, for the life of the channel.
        connect_timeout_s: For the TCP connection (at most 8 s), and again for sshd's banner, or half of the attempt if
            longer.
    """

    name: str
    host: str
    port: int
    user: str
    key_path: Path
    host_key: str | None = None
    connect_timeout_s: float = 15.0

    @property
    def where(self) -> str:
        """`name (user@host:port)`."""
        return f"{self.name} ({self.user}@{self.host}:{self.port})"


def normal_key(host_key: str) -> str:
    """Return `type blob` of a public key line, without its comment.

    Raises:
        ValueError: It is not a public key line.
    """
    words = host_key.split()
    if len(words) < 2:
        raise ValueError(f"not a public key line (expected `ssh-ed25519 AAAA…`): {host_key!r}")
    return f"{words[0]} {words[1]}"


def fingerprint(host_key: str) -> str:
    """Return type and fingerprint as OpenSSH prints them: `ssh-ed25519 SHA256:…`."""
    kind, blob = normal_key(host_key).split()
    try:
        digest = hashlib.sha256(base64.b64decode(blob, validate=True)).digest()
    except binascii.Error:
        return f"{kind} (not a public key)"
    return f"{kind} SHA256:{base64.b64encode(digest).decode('ascii').rstrip('=')}"


@functools.cache
def load_paramiko() -> ModuleType:
    """Import paramiko; its log records never go to the terminal by default."""
    import paramiko  # noqa: PLC0415  (late on purpose: most of the command line never connects)

    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    return paramiko


def connect(
    target: SshTarget, pinned: str | None, deadline: Deadline, watch: Watch | None = None
) -> tuple[Transport, str]:
    """Connect and return the connection and the host key (`type blob`).

    Raises:
        ConnectFailed: No SSH server answered in time; a retry is right.
        HostKeyMismatch: Another machine answered.
        HarnessError: That of `watch`.
    """
    sock = _connect_tcp(target, deadline)
    transport: Transport | None = None
    try:
        transport = load_paramiko().Transport(sock)
        with watched(watch, sock.close):
            _negotiate(transport, target, pinned, deadline)
        seen = _host_key(transport, target)
        _compare(target, pinned, seen)
    except BaseException:
        disconnect(transport)
        sock.close()
        raise
    return transport, seen


def connection_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of a channel whose connection ends or stalls."""
    return (load_paramiko().SSHException, OSError, EOFError)


def disconnect(transport: Transport | None) -> None:
    """Close a connection and its socket, and end its thread.

    Safe to call twice.
    """
    if transport is not None:
        transport.close()
        transport.sock.close()
        if transport.is_alive():
            transport.join(2.0)


def no_connection(target: SshTarget, reason: str) -> ConnectFailed:
    """Return the error of a connection that was not made or was lost."""
    return ConnectFailed(
        "no SSH connection",
        where=target.where,
        detail=reason,
        remedy="look at the guest's console or screen (it may still boot); check the address, the port and the network",
    )


def _connect_tcp(target: SshTarget, deadline: Deadline) -> socket.socket:
    timeout_s = max(0.001, min(target.connect_timeout_s, _TCP_S, deadline.remaining))
    try:
        sock = socket.create_connection((target.host, target.port), timeout=timeout_s)
    except OSError as error:
        raise no_connection(target, f"no TCP connection: {error}") from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _negotiate(transport: Transport, target: SshTarget, pinned: str | None, deadline: Deadline) -> None:
    if pinned is not None:
        kind = pinned.split()[0]
        first = _RSA_ALGORITHMS if kind == "ssh-rsa" else (kind,)
        options = transport.get_security_options()
        options.key_types = sorted(options.key_types, key=lambda name: name not in first)
    transport.banner_timeout = min(max(target.connect_timeout_s, deadline.remaining / 2), deadline.remaining)
    transport.handshake_timeout = max(1.0, deadline.remaining)
    try:
        transport.start_client(timeout=deadline.remaining)
    except connection_errors() as error:
        no_banner = isinstance(error.__context__, TimeoutError)
        reason = _NO_BANNER if no_banner else f"no SSH server at this port: {error or type(error).__name__}"
        raise no_connection(target, reason) from error
    if not transport.initial_kex_done:  # `start_client` returns without an error at its timeout
        raise no_connection(target, "the key exchange did not end in time" if transport.remote_version else _NO_BANNER)


def _host_key(transport: Transport, target: SshTarget) -> str:
    """Return the verified host key, as `type blob`."""
    try:
        key = transport.get_remote_server_key()
    except connection_errors() as error:
        raise no_connection(target, f"the connection ended after the key exchange: {error}") from error
    return f"{key.get_name()} {key.get_base64()}"


def _compare(target: SshTarget, pinned: str | None, seen: str) -> None:
    if pinned is not None and seen != pinned:
        raise HostKeyMismatch(where=target.where, expected=fingerprint(pinned), seen=fingerprint(seen))
