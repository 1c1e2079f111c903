"""A fake guest that accepts one key, and a channel to it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from harness.guest.ssh import MAX_OUTPUT_BYTES, SshChannel, SshTarget

from .fake_guest import FakeSshGuest


def write_key(path: Path) -> paramiko.PKey:
    """Make a new ed25519 key in that file."""
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    return paramiko.PKey.from_path(path)


def line(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the keys `id_ed25519` (the lab's), `host` and `other`."""
    directory = tmp_path_factory.mktemp("keys")
    for name in ("id_ed25519", "host", "other"):
        write_key(directory / name)
    return directory


@contextmanager
def running_guest(keys: Path) -> Iterator[FakeSshGuest]:
    if shutil.which("sh") is None:
        pytest.skip("the fake guest needs a POSIX sh behind it")
    fake = FakeSshGuest(paramiko.PKey.from_path(keys / "id_ed25519"), paramiko.PKey.from_path(keys / "host"))
    try:
        yield fake
    finally:
        fake.close()


def target_of(guest: FakeSshGuest, keys: Path) -> SshTarget:
    host_key = line(paramiko.PKey.from_path(keys / "host"))
    return SshTarget("node1", "127.0.0.1", guest.port, "ubuntu", keys / "id_ed25519", host_key, connect_timeout_s=5)


@pytest.fixture
def guest(keys: Path) -> Iterator[FakeSshGuest]:
    with running_guest(keys) as fake:
        yield fake


@pytest.fixture
def target(guest: FakeSshGuest, keys: Path) -> SshTarget:
    return target_of(guest, keys)


@pytest.fixture(scope="module")
def shared_guest(keys: Path) -> Iterator[FakeSshGuest]:
    with running_guest(keys) as fake:
        yield fake


@pytest.fixture(scope="module")
def shared_channel(shared_guest: FakeSshGuest, keys: Path) -> Iterator[SshChannel]:
    """A logged-in channel for commands that change neither it nor its guest."""
    channel = SshChannel(target_of(shared_guest, keys))
    channel.connect(10)
    yield channel
    channel.close()


@pytest.fixture
def open_channel(target: SshTarget) -> Iterator[Callable[..., SshChannel]]:
    """Create channels to the fake guest with other settings; close them all."""
    channels: list[SshChannel] = []

    def make(*, max_output_bytes: int = MAX_OUTPUT_BYTES, close_s: float = 2.0, **changes: object) -> SshChannel:
        changed = replace(target, **changes)  # type: ignore[arg-type]  # any field
        channels.append(SshChannel(changed, max_output_bytes=max_output_bytes, close_s=close_s))
        return channels[-1]

    yield make
    for channel in channels:
        channel.close()


@pytest.fixture
def channel(open_channel: Callable[..., SshChannel]) -> SshChannel:
    """A channel that is logged in."""
    ready = open_channel()
    ready.connect(10)
    return ready


def client_threads() -> list[threading.Thread]:
    """Return the threads of connections that are not closed."""
    return [t for t in threading.enumerate() if isinstance(t, paramiko.Transport) and not t.server_mode]
