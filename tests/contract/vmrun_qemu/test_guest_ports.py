"""Forwarded ports of the host into a real guest: TCP and UDP."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from guest_lab import ADDRESS, NETWORK, RealGuest
from qemu_lab import eventually

# Sends back what it hears, in capitals, and a word of its own.
ECHO = """
import socket, sys
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
server = socket.socket(socket.AF_INET, kind)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", 7777))
if sys.argv[1] == "tcp":
    server.listen()
while True:
    if sys.argv[1] == "udp":
        data, sender = server.recvfrom(2000)
        server.sendto(b"udp " + data.upper(), sender)
        continue
    client, _ = server.accept()
    client.sendall(b"tcp " + client.recv(2000).upper())
    client.close()
"""


@pytest.fixture(scope="module")
def echo(real_guest: RealGuest) -> Iterator[RealGuest]:
    real_guest.root("cat > /tmp/echo.py", ECHO)
    for protocol in ("tcp", "udp"):
        real_guest.root(f"python3 /tmp/echo.py {protocol} >/dev/null 2>&1 </dev/null & echo $! >> /tmp/echo.pids")
    yield real_guest
    real_guest.root("kill $(cat /tmp/echo.pids)")


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asks(protocol: str, port: int) -> str:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(socket.AF_INET, kind) as client:
            client.settimeout(5)
            client.connect(("127.0.0.1", port))
            client.send(b"hello")
            return client.recv(2000).decode()
    except OSError:
        return ""


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_forwarded_port_reaches_the_guest_until_it_is_deleted(echo: RealGuest, protocol: str) -> None:
    port = free_port(socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    words = [NETWORK.upper(), protocol.upper(), str(port)]
    assert echo.vmrun("setPortForwarding", *words, ADDRESS, "7777", "an echo, of sorts") == (0, "")
    assert eventually(lambda: asks(protocol, port) == f"{protocol} HELLO", 60)
    listed = echo.vmrun.ok("listPortForwardings", NETWORK).splitlines()
    assert listed[0] == "Total port forwardings: 1"
    assert listed[2].split(maxsplit=5) == ["0", protocol, str(port), ADDRESS, "7777", "an echo, of sorts"]
    assert echo.vmrun("deletePortForwarding", *words) == (0, "")
    assert asks(protocol, port) == ""
    assert echo.vmrun.ok("listPortForwardings", NETWORK) == "Total port forwardings: 0\n"


def test_one_number_can_be_forwarded_for_both_protocols(echo: RealGuest) -> None:
    port = str(free_port(socket.SOCK_STREAM))
    for protocol in ("tcp", "udp"):
        echo.vmrun.ok("setPortForwarding", NETWORK, protocol, port, ADDRESS, "7777")
    for protocol in ("tcp", "udp"):
        assert eventually(lambda: asks(protocol, int(port)) == f"{protocol} HELLO", 60)  # noqa: B023 (at once)
    for protocol in ("tcp", "udp"):
        echo.vmrun.ok("deletePortForwarding", NETWORK, protocol, port)
