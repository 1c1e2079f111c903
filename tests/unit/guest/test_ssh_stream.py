"""Streams through an SSH connection."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import paramiko
import pytest

from harness.guest.channel import ChannelLost
from harness.guest.ssh_stream import open_stream


class FakeTransport:
    """A transport whose guest connects, or refuses."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: tuple[object, ...] = ()

    def open_channel(self, *words: object, **_: object) -> Any:
        self.asked = words
        if self.error is not None:
            raise self.error
        return SimpleNamespace(settimeout=lambda seconds: None)


def test_the_guest_connects_to_the_address() -> None:
    transport = FakeTransport()
    assert open_stream(cast(Any, transport), "192.168.6.10", 6443, 5) is not None
    assert transport.asked[:2] == ("direct-tcpip", ("192.168.6.10", 6443))


@pytest.mark.parametrize(
    "error", [paramiko.ChannelException(1, "Administratively prohibited"), EOFError(), OSError("closed")]
)
def test_a_refusal_names_the_address(error: Exception) -> None:
    with pytest.raises(ChannelLost, match=r"192\.168\.6\.10:6443"):
        open_stream(cast(Any, FakeTransport(error)), "192.168.6.10", 6443, 5)
