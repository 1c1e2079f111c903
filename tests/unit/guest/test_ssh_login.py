"""SSH login: the offered key, and the failures."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from harness.core.errors import HostError
from harness.guest.channel import AuthFailed, ChannelLost
from harness.guest.ssh import SshChannel

from .conftest import client_threads, line
from .fake_guest import FakeSshGuest

OpenChannel = Callable[..., SshChannel]


class FakeAgent:
    """Listens where an SSH agent would, and counts who asks."""

    def __init__(self, path: Path) -> None:
        self.asked = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.asked += 1
            sock.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def users_own_ssh(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAgent]:
    """A home directory with key, known_hosts, ssh_config and agent of a user."""
    home = tmp_path / ".ssh"
    home.mkdir()
    (home / "id_ed25519").write_bytes((keys / "other").read_bytes())
    (home / "known_hosts").write_text(f"* {line(paramiko.PKey.from_path(keys / 'other'))}\n")
    (home / "config").write_text("Host *\n  User somebody\n  Port 1\n")
    agent = FakeAgent(tmp_path / "agent")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    yield agent
    agent.close()


def test_only_the_labs_key_is_offered(
    guest: FakeSshGuest, open_channel: OpenChannel, keys: Path, users_own_ssh: FakeAgent
) -> None:
    channel = open_channel()
    channel.connect(10)
    assert guest.offered == [f"ubuntu {line(paramiko.PKey.from_path(keys / 'id_ed25519'))}"]
    assert users_own_ssh.asked == 0


def test_a_refused_key_is_offered_once_and_named(
    guest: FakeSshGuest, open_channel: OpenChannel, keys: Path, users_own_ssh: FakeAgent
) -> None:
    guest.banner = "System is booting up."
    channel = open_channel(key_path=keys / "other")
    with pytest.raises(AuthFailed) as caught:
        channel.connect(10)
    other = paramiko.PKey.from_path(keys / "other")
    assert guest.offered == [f"ubuntu {line(other)}"]
    assert users_own_ssh.asked == 0
    text = str(caught.value)
    assert other.fingerprint in text
    assert "`ubuntu`" in text
    assert "System is booting up." in text
    assert channel.logins == 0
    assert not client_threads()


def test_a_missing_key_file_is_reported_before_any_connection(
    guest: FakeSshGuest, open_channel: OpenChannel, tmp_path: Path
) -> None:
    with pytest.raises(HostError) as caught:
        open_channel(key_path=tmp_path / "nothing").connect(10)
    assert caught.value.where == str(tmp_path / "nothing")
    assert guest.connections == 0


def test_connecting_is_explicit_and_counted(guest: FakeSshGuest, open_channel: OpenChannel) -> None:
    channel = open_channel()
    with pytest.raises(ChannelLost, match="not connected"):
        channel.run("true", timeout_s=5)
    assert guest.connections == 0
    channel.connect(10)
    channel.connect(10)
    assert channel.connected
    assert (channel.logins, guest.connections) == (2, 2)
    channel.close()
    channel.close()
    assert not channel.connected
    assert not client_threads()
