"""Connecting to sshd: the checked host key, and a guest that does not answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest

from harness.guest.channel import ConnectFailed, HostKeyMismatch
from harness.guest.ssh import SshChannel
from harness.guest.ssh_connection import fingerprint

from .conftest import client_threads, line
from .fake_guest import FakeSshGuest

OpenChannel = Callable[..., SshChannel]


def test_a_wrong_host_key_ends_it_before_the_user_is_named(
    guest: FakeSshGuest, open_channel: OpenChannel, keys: Path
) -> None:
    pinned, seen = (line(paramiko.PKey.from_path(keys / name)) for name in ("other", "host"))
    with pytest.raises(HostKeyMismatch) as caught:
        open_channel(host_key=pinned).connect(10)
    assert guest.offered == []
    assert caught.value.expected == fingerprint(pinned)
    assert caught.value.seen == fingerprint(seen)
    assert caught.value.seen in str(caught.value)
    assert not client_threads()


def test_the_first_key_is_pinned_where_none_was_given(
    guest: FakeSshGuest, open_channel: OpenChannel, keys: Path
) -> None:
    channel = open_channel(host_key=None)
    channel.connect(10)
    assert channel.host_key == line(guest.host_keys[0])
    guest.host_keys = [paramiko.PKey.from_path(keys / "other")]
    with pytest.raises(HostKeyMismatch):
        channel.connect(10)


def test_the_pinned_key_type_is_requested(guest: FakeSshGuest, open_channel: OpenChannel) -> None:
    ecdsa = paramiko.ECDSAKey.generate()
    guest.host_keys.append(ecdsa)
    channel = open_channel(host_key=f"{line(ecdsa)} root@node1")
    channel.connect(10)
    assert channel.host_key == line(ecdsa)


def test_a_fingerprint_is_the_one_of_openssh(keys: Path) -> None:
    key = paramiko.PKey.from_path(keys / "host")
    assert fingerprint(f"{line(key)} a comment") == f"ssh-ed25519 {key.fingerprint}"
    with pytest.raises(ValueError, match="public key line"):
        fingerprint("AAAA")


def test_a_closed_port_is_no_connection(open_channel: OpenChannel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectFailed) as caught:
        open_channel(port=port).connect(10)
    assert f"127.0.0.1:{port}" in str(caught.value)


@pytest.mark.parametrize(
    ("behaviour", "connect_timeout_s", "timeout_s"),
    [("mute", 0.5, 4), ("mute", 30, 0.5), ("hang_up", 0.7, 1.0), ("freeze_before_auth", 0.7, 1.0)],
)
def test_a_silent_guest_is_an_error_in_time(
    guest: FakeSshGuest, open_channel: OpenChannel, behaviour: str, connect_timeout_s: float, timeout_s: float
) -> None:
    setattr(guest, behaviour, True)
    started = time.monotonic()
    with pytest.raises(ConnectFailed):
        open_channel(connect_timeout_s=connect_timeout_s).connect(timeout_s)
    assert time.monotonic() - started < 8
    assert not client_threads()
