from __future__ import annotations

import socket
import sys

import pytest

from harness.system.ports import HeldPorts


def test_ports_differ_and_the_hypervisor_can_listen_on_them() -> None:
    with HeldPorts() as held, HeldPorts() as others:
        ports = [held.take() for _ in range(5)] + [others.take() for _ in range(5)]
        assert len(set(ports)) == 10
        for port in ports:
            with socket.create_server(("127.0.0.1", port)):  # it sets SO_REUSEADDR, as QEMU does
                pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a port be held and listened on")
def test_a_held_port_is_nobody_elses() -> None:
    with HeldPorts() as held, HeldPorts() as others:
        port = held.take()
        assert others.take(port) != port
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", port))
    with HeldPorts() as held:
        assert held.take(port) == port
