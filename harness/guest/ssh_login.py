"""SSH login with the lab's key only."""

from __future__ import annotations

import functools
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING

from harness.core.deadline import Deadline
from harness.core.errors import HostError
from harness.guest.channel import AuthFailed
from harness.guest.persistent_shell import GUEST_PATH, abort_at
from harness.guest.ssh_connection import SshTarget, connect, connection_errors, disconnect, load_paramiko, no_connection
from harness.guest.watched import Watch, watched

if TYPE_CHECKING:
    from harness.guest.ssh_connection import PrivateKey, SessionChannel, Transport

# `setsid` (util-linux) makes root's shell, as sshd makes the user's, the leader of its own process group.
# `env -i` leaves out what the account's profile sets: LD_PRELOAD, ENV, another PATH.
_CLEAN = f"/usr/bin/env -i PATH={GUEST_PATH}"
SH = f'exec {_CLEAN} HOME="$HOME" USER="$USER" /bin/sh'
ROOT_SH = f"exec /usr/bin/sudo -n {_CLEAN} HOME=/root USER=root /usr/bin/setsid --wait /bin/sh"


def log_in(
    target: SshTarget, pinned: str | None, deadline: Deadline, watch: Watch | None = None
) -> tuple[Transport, str]:
    """Log in and return the connection and the host key (`type blob`).

    Raises:
        ConnectFailed: No SSH server answered in time; a retry is right.
        AuthFailed: The key was rejected.
        HostKeyMismatch: Another machine answered.
        HostError: The private key cannot be read.
        HarnessError: That of `watch`.
    """
    ssh = load_paramiko()
    key = _load_key(ssh, target)
    transport, seen = connect(target, pinned, deadline, watch)
    try:
        with watched(watch, lambda: disconnect(transport)):
            _authenticate(ssh, transport, target, key, deadline)
    except BaseException:
        disconnect(transport)
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
    transport, _ = connect(target, pinned, deadline)
    try:
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
        raise no_connection(target, f"the login was interrupted: {error}") from error
    finally:
        disconnect(transport)


def start_sh(transport: Transport, deadline: Deadline, *, as_root: bool = False) -> SessionChannel:
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


def _close(channel: SessionChannel) -> None:
    with suppress(*connection_errors()):
        channel.close()


def _load_key(ssh: ModuleType, target: SshTarget) -> PrivateKey:
    try:
        key: PrivateKey = ssh.PKey.from_path(target.key_path)
    except (OSError, ValueError, TypeError, ssh.SSHException) as error:
        raise HostError(
            "the lab's SSH key cannot be read",
            where=str(target.key_path),
            detail=str(error),
            remedy="build the seeds again (the seed directory holds the key), or set `ssh.key` in the lab file",
        ) from error
    return key


def _authenticate(
    ssh: ModuleType, transport: Transport, target: SshTarget, key: PrivateKey, deadline: Deadline
) -> None:
    transport.auth_timeout = max(0.1, deadline.remaining)
    reason = ""
    try:
        transport.auth_publickey(target.user, key)
    except ssh.AuthenticationException as error:
        reason = str(error)
        if not transport.is_active() or deadline.expired or "timeout" in reason:
            raise no_connection(target, f"the login was interrupted: {reason}{_banner(transport)}") from error
    except connection_errors() as error:
        raise no_connection(target, f"the login was interrupted: {error}{_banner(transport)}") from error
    if not transport.is_authenticated():
        raise AuthFailed(
            f"sshd rejects the lab's key for `{target.user}`",
            where=target.where,
            detail=f"{reason or 'a second factor is required'}{_banner(transport)}",
            remedy=f"check that the account exists and has {target.key_path} ({key.get_name()} {key.fingerprint}) in "
            "authorized_keys; cloud-init creates both in the guest's first boot",
        )


def _banner(transport: Transport) -> str:
    text = (transport.get_banner() or b"").decode("utf-8", errors="replace").strip()
    return f"\n{text}" if text else ""
