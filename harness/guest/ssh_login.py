"""One SSH login: the lab's key and nothing else, and a host key that is checked before the user is named.

The only module that imports paramiko, and only when a login is made: the import costs up to half a second. Nothing
of the user is read: no agent, no keys of the home directory, no `known_hosts`, no `ssh_config`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from harness.core.deadline import Deadline
from harness.core.errors import HostError
from harness.guest.channel import AuthFailed, ConnectFailed, HostKeyMismatch
from harness.guest.persistent_shell import abort_at

if TYPE_CHECKING:
    import paramiko

    Transport: TypeAlias = paramiko.Transport

# Algorithms by which a host proves that it holds an RSA key (RFC 8332); other keys have one, named as the key is.
_MUTE = "the port is open, and nobody speaks SSH there in time"
_RSA_ALGORITHMS = ("rsa-sha2-512", "rsa-sha2-256")
# `setsid` (util-linux) makes root's shell, as sshd makes the user's, the leader of its own process group.
_SH, _ROOT_SH = "exec sh", "exec sudo -n setsid --wait sh"


@dataclass(frozen=True)
class SshTarget:
    """Where and as whom a guest is reached.

    Attributes:
        name: The machine, for error texts.
        host: Address or name.
        port: TCP port.
        user: Account in the guest.
        key_path: The lab's private key.
        host_key: `ssh-ed25519 AAAA…`, pinned; None trusts the first key that is seen, for the life of the channel.
        connect_timeout_s: For the TCP connection, and again for sshd's banner.
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
    """Return a public key line's fingerprint with its type, as OpenSSH prints it: `ssh-ed25519 SHA256:…`."""
    kind, blob = normal_key(host_key).split()
    try:
        digest = hashlib.sha256(base64.b64decode(blob, validate=True)).digest()
    except binascii.Error:
        return f"{kind} (not a public key)"
    return f"{kind} SHA256:{base64.b64encode(digest).decode('ascii').rstrip('=')}"


@functools.cache
def load_paramiko() -> ModuleType:
    """Return paramiko, whose own log lines go to handlers that somebody installed, and never to the terminal."""
    import paramiko  # noqa: PLC0415  (late on purpose: most of the command line never connects)

    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    return paramiko


def log_in(target: SshTarget, pinned: str | None, deadline: Deadline) -> tuple[paramiko.Transport, str]:
    """Return an authenticated connection and the host key that was seen, as `type blob`.

    Raises:
        ConnectFailed: Nobody answered with SSH in time; asking again is right.
        AuthFailed: The key was refused.
        HostKeyMismatch: Another machine answered.
        HostError: The private key cannot be read.
    """
    ssh = load_paramiko()
    key = _load_key(ssh, target)
    sock = _dial(target, deadline)
    transport: paramiko.Transport | None = None
    try:
        transport = ssh.Transport(sock)
        _negotiate(transport, target, pinned, deadline)
        seen = _host_key(transport, target)
        _compare(target, pinned, seen)
        _authenticate(ssh, transport, target, key, deadline)
    except BaseException:
        disconnect(transport, sock)
        raise
    return transport, seen


def start_sh(transport: paramiko.Transport, deadline: Deadline, *, as_root: bool = False) -> paramiko.Channel:
    """Return a channel with a plain `sh` behind it, a leader of its process group.

    Where root would have to give a password, what is behind the channel ends at once with sudo's words.

    Raises:
        EOFError: The connection or the guest did not let it start in time.
    """
    try:
        channel = transport.open_session(timeout=deadline.remaining)
        # `exec_command` waits for the guest's word without a limit of its own.
        with abort_at(deadline, functools.partial(_close, channel)):
            channel.exec_command(_ROOT_SH if as_root else _SH)
    except connection_errors() as error:
        raise EOFError(str(error) or type(error).__name__) from error
    return channel


def connection_errors() -> tuple[type[Exception], ...]:
    """Return what using a channel raises when the connection under it ends, or does not get on."""
    return (load_paramiko().SSHException, OSError, EOFError)


def _close(channel: paramiko.Channel) -> None:
    with suppress(*connection_errors()):
        channel.close()


def disconnect(transport: paramiko.Transport | None, sock: socket.socket | None = None) -> None:
    """End a connection and its thread, and close its socket; safe to call twice."""
    if transport is not None:
        transport.close()
        transport.sock.close()
        if transport.is_alive():
            transport.join(2.0)
    if sock is not None:
        sock.close()


def _load_key(ssh: ModuleType, target: SshTarget) -> paramiko.PKey:
    try:
        key: paramiko.PKey = ssh.PKey.from_path(target.key_path)
    except (OSError, ValueError, TypeError, ssh.SSHException) as error:
        raise HostError(
            "the lab's SSH key cannot be read",
            where=str(target.key_path),
            said=str(error),
            remedy="the seed directory holds it: build the seeds again, or set the right `ssh.key` in the lab file",
        ) from error
    return key


def _dial(target: SshTarget, deadline: Deadline) -> socket.socket:
    timeout_s = max(0.001, min(target.connect_timeout_s, deadline.remaining))
    try:
        sock = socket.create_connection((target.host, target.port), timeout=timeout_s)
    except OSError as error:
        raise _no_connection(target, f"no TCP connection: {error}") from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _negotiate(transport: paramiko.Transport, target: SshTarget, pinned: str | None, deadline: Deadline) -> None:
    if pinned is not None:
        kind = pinned.split()[0]
        first = _RSA_ALGORITHMS if kind == "ssh-rsa" else (kind,)
        options = transport.get_security_options()
        options.key_types = sorted(options.key_types, key=lambda name: name not in first)
    transport.banner_timeout = min(target.connect_timeout_s, deadline.remaining)
    transport.handshake_timeout = max(1.0, deadline.remaining)
    try:
        transport.start_client(timeout=deadline.remaining)
    except connection_errors() as error:
        mute = isinstance(error.__context__, TimeoutError)
        said = _MUTE if mute else f"no SSH on the other side: {error or type(error).__name__}"
        raise _no_connection(target, said) from error
    if not transport.initial_kex_done:  # `start_client` returns in silence when its time is over
        raise _no_connection(target, "the key exchange did not end in time" if transport.remote_version else _MUTE)


def _host_key(transport: paramiko.Transport, target: SshTarget) -> str:
    """Return the key that the host has proven to hold, as `type blob`."""
    try:
        key = transport.get_remote_server_key()
    except connection_errors() as error:
        raise _no_connection(target, f"the connection ended behind the key exchange: {error}") from error
    return f"{key.get_name()} {key.get_base64()}"


def _compare(target: SshTarget, pinned: str | None, seen: str) -> None:
    if pinned is not None and seen != pinned:
        raise HostKeyMismatch(where=target.where, expected=fingerprint(pinned), seen=fingerprint(seen))


def _authenticate(
    ssh: ModuleType, transport: paramiko.Transport, target: SshTarget, key: paramiko.PKey, deadline: Deadline
) -> None:
    transport.auth_timeout = max(0.1, deadline.remaining)
    said = ""
    try:
        transport.auth_publickey(target.user, key)
    except ssh.AuthenticationException as error:
        said = str(error)
        if not transport.is_active() or deadline.expired or "timeout" in said:
            raise _no_connection(target, f"the login was cut off: {said}{_banner(transport)}") from error
    except connection_errors() as error:
        raise _no_connection(target, f"the login was cut off: {error}{_banner(transport)}") from error
    if not transport.is_authenticated():
        raise AuthFailed(
            f"sshd refuses the lab's key for `{target.user}`",
            where=target.where,
            said=f"{said or 'a second factor is asked for'}{_banner(transport)}",
            remedy=f"the key is {target.key_path} ({key.get_name()} {key.fingerprint}); the account must exist and "
            "hold it in authorized_keys, which cloud-init does in the guest's first boot",
        )


def _banner(transport: paramiko.Transport) -> str:
    text = (transport.get_banner() or b"").decode("utf-8", errors="replace").strip()
    return f"\n{text}" if text else ""


def _no_connection(target: SshTarget, said: str) -> ConnectFailed:
    return ConnectFailed(
        "no SSH connection",
        where=target.where,
        said=said,
        remedy="the guest may still boot: look at its serial log; check the address, the port and the network",
    )
