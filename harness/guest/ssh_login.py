"""SSH login with the lab's key only.

The host key is checked before the user name is sent.

The only module that imports paramiko, and only for a login: the import costs up to half a second. It reads no settings
of the user: no agent, no keys of the home directory, no `known_hosts`, no `ssh_config`.
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
from harness.guest.persistent_shell import GUEST_PATH, abort_at

if TYPE_CHECKING:
    import paramiko

    Transport: TypeAlias = paramiko.Transport

_NO_BANNER = "the port is open, but no SSH server answers in time"
# Signature algorithms of an RSA host key (RFC 8332); other key types have one, with the name of the type.
_RSA_ALGORITHMS = ("rsa-sha2-512", "rsa-sha2-256")
# `setsid` (util-linux) makes root's shell, as sshd makes the user's, the leader of its own process group.
# `env -i` leaves out what the account's profile sets: LD_PRELOAD, ENV, another PATH.
_CLEAN = f"/usr/bin/env -i PATH={GUEST_PATH}"
SH = f'exec {_CLEAN} HOME="$HOME" USER="$USER" /bin/sh'
ROOT_SH = f"exec /usr/bin/sudo -n {_CLEAN} HOME=/root USER=root /usr/bin/setsid --wait /bin/sh"


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
        connect_timeout_s: For the TCP connection, and again for sshd's banner, or half of the attempt if longer.
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


def log_in(target: SshTarget, pinned: str | None, deadline: Deadline) -> tuple[paramiko.Transport, str]:
    """Log in and return the connection and the host key (`type blob`).

    Raises:
        ConnectFailed: No SSH server answered in time; a retry is right.
        AuthFailed: The key was rejected.
        HostKeyMismatch: Another machine answered.
        HostError: The private key cannot be read.
    """
    ssh = load_paramiko()
    key = _load_key(ssh, target)
    sock = _connect_tcp(target, deadline)
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


def public_key(target: SshTarget) -> str:
    """Return the lab's public key, as `type blob`.

    Raises:
        HostError: The private key cannot be read.
    """
    key = _load_key(load_paramiko(), target)
    return f"{key.get_name()} {key.get_base64()}"


def try_login(target: SshTarget, pinned: str | None, deadline: Deadline) -> tuple[tuple[str, ...], bool]:
    """Return the login methods offered, and whether the lab's key was accepted.

    Raises:
        ConnectFailed: No SSH server answered in time.
        HostKeyMismatch: Another machine answered.
        HostError: The private key cannot be read.
    """
    ssh = load_paramiko()
    key = _load_key(ssh, target)
    sock = _connect_tcp(target, deadline)
    transport: paramiko.Transport | None = None
    try:
        transport = ssh.Transport(sock)
        _negotiate(transport, target, pinned, deadline)
        _compare(target, pinned, _host_key(transport, target))
        transport.auth_timeout = max(0.1, deadline.remaining)
        offered: tuple[str, ...] = ("none",)
        try:
            transport.auth_none(target.user)
        except ssh.BadAuthenticationType as refused:
            offered = tuple(refused.allowed_types)
            with suppress(AuthFailed):
                _authenticate(ssh, transport, target, key, deadline)
        return offered, transport.is_authenticated()
    except connection_errors() as error:
        raise _no_connection(target, f"the login was interrupted: {error}") from error
    finally:
        disconnect(transport, sock)


def start_sh(transport: paramiko.Transport, deadline: Deadline, *, as_root: bool = False) -> paramiko.Channel:
    """Start `sh` in its own process group and return its channel.

    If sudo asks for a password, the program behind the channel ends at once with sudo's message.

    Raises:
        EOFError: The connection or the guest did not let it start in time.
    """
    try:
        channel = transport.open_session(timeout=deadline.remaining)
        # `exec_command` waits for the guest's reply without a time limit of its own.
        with abort_at(deadline, functools.partial(_close, channel)):
            channel.exec_command(ROOT_SH if as_root else SH)
    except connection_errors() as error:
        raise EOFError(str(error) or type(error).__name__) from error
    return channel


def connection_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of a channel whose connection ends or stalls."""
    return (load_paramiko().SSHException, OSError, EOFError)


def _close(channel: paramiko.Channel) -> None:
    with suppress(*connection_errors()):
        channel.close()


def disconnect(transport: paramiko.Transport | None, sock: socket.socket | None = None) -> None:
    """Close a connection and its socket, and end its thread.

    Safe to call twice.
    """
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
            detail=str(error),
            remedy="build the seeds again (the seed directory holds the key), or set `ssh.key` in the lab file",
        ) from error
    return key


def _connect_tcp(target: SshTarget, deadline: Deadline) -> socket.socket:
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
    transport.banner_timeout = min(max(target.connect_timeout_s, deadline.remaining / 2), deadline.remaining)
    transport.handshake_timeout = max(1.0, deadline.remaining)
    try:
        transport.start_client(timeout=deadline.remaining)
    except connection_errors() as error:
        no_banner = isinstance(error.__context__, TimeoutError)
        reason = _NO_BANNER if no_banner else f"no SSH server at this port: {error or type(error).__name__}"
        raise _no_connection(target, reason) from error
    if not transport.initial_kex_done:  # `start_client` returns without an error at its timeout
        raise _no_connection(target, "the key exchange did not end in time" if transport.remote_version else _NO_BANNER)


def _host_key(transport: paramiko.Transport, target: SshTarget) -> str:
    """Return the verified host key, as `type blob`."""
    try:
        key = transport.get_remote_server_key()
    except connection_errors() as error:
        raise _no_connection(target, f"the connection ended after the key exchange: {error}") from error
    return f"{key.get_name()} {key.get_base64()}"


def _compare(target: SshTarget, pinned: str | None, seen: str) -> None:
    if pinned is not None and seen != pinned:
        raise HostKeyMismatch(where=target.where, expected=fingerprint(pinned), seen=fingerprint(seen))


def _authenticate(
    ssh: ModuleType, transport: paramiko.Transport, target: SshTarget, key: paramiko.PKey, deadline: Deadline
) -> None:
    transport.auth_timeout = max(0.1, deadline.remaining)
    reason = ""
    try:
        transport.auth_publickey(target.user, key)
    except ssh.AuthenticationException as error:
        reason = str(error)
        if not transport.is_active() or deadline.expired or "timeout" in reason:
            raise _no_connection(target, f"the login was interrupted: {reason}{_banner(transport)}") from error
    except connection_errors() as error:
        raise _no_connection(target, f"the login was interrupted: {error}{_banner(transport)}") from error
    if not transport.is_authenticated():
        raise AuthFailed(
            f"sshd rejects the lab's key for `{target.user}`",
            where=target.where,
            detail=f"{reason or 'a second factor is required'}{_banner(transport)}",
            remedy=f"check that the account exists and has {target.key_path} ({key.get_name()} {key.fingerprint}) in "
            "authorized_keys; cloud-init creates both in the guest's first boot",
        )


def _banner(transport: paramiko.Transport) -> str:
    text = (transport.get_banner() or b"").decode("utf-8", errors="replace").strip()
    return f"\n{text}" if text else ""


def _no_connection(target: SshTarget, reason: str) -> ConnectFailed:
    return ConnectFailed(
        "no SSH connection",
        where=target.where,
        detail=reason,
        remedy="read the guest's serial log (it may still boot); check the address, the port and the network",
    )
