"""One connection to a host service, by the program that QEMU starts."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.vmrun_qemu.network import guestfwd

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="QEMU on Windows starts no command")


class Ends:
    """The guest's end and the service's end of one running pipe."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.guest, inner = socket.socketpair()
            argv = [sys.executable, "-IS", guestfwd.__file__, str(server.getsockname()[1])]
            self.process = subprocess.Popen(argv, stdin=inner.fileno(), stdout=inner.fileno())
            inner.close()
            server.settimeout(20)
            self.service, _ = server.accept()
        for end in (self.guest, self.service):
            end.settimeout(20)


@pytest.fixture
def ends() -> Iterator[Ends]:
    both = Ends()
    yield both
    both.guest.close()
    both.service.close()
    both.process.kill()
    both.process.wait(10)


def test_bytes_go_both_ways_and_each_end_is_passed_on(ends: Ends) -> None:
    ends.guest.sendall(b"question")
    ends.guest.shutdown(socket.SHUT_WR)
    assert ends.service.recv(100) == b"question"
    assert ends.service.recv(100) == b""
    ends.service.sendall(b"answer")
    ends.service.close()
    assert ends.guest.recv(100) == b"answer"
    assert ends.guest.recv(100) == b""
    assert ends.process.wait(10) == 0


def test_a_service_that_breaks_off_is_the_end_for_the_guest_too(ends: Ends) -> None:
    ends.guest.sendall(b"question")
    assert ends.service.recv(100) == b"question"
    ends.service.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ends.service.close()  # with a reset
    assert ends.guest.recv(100) == b""
    assert ends.process.wait(10) == 1
