from __future__ import annotations

import socket
import sys

import pytest

from harness.system.ports import HeldPorts, port_is_free


def test_ports_differ_and_the_hypervisor_can_listen_on_them() -> None:
    with HeldPorts() as held, HeldPorts() as others:
        ports = [held.take() for _ in range(5)] + [others.take() for _ in range(5)]
        assert len(set(ports)) == 10
        for port in ports:
            with socket.create_server(("127.0.0.1", port)):  # it sets SO_REUSEADDR, as QEMU does
                pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a port be held and listened on")
def test_a_held_port_is_refused_to_everybody_else() -> None:
    with HeldPorts() as held, HeldPorts() as others:
        port = held.take()
        assert others.take(port) != port
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", port))
    with HeldPorts() as held:
        assert held.take(port) == port


def test_a_port_is_free_unless_a_listener_has_it() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = int(listener.getsockname()[1])
        assert port_is_free(port) is False
    assert port_is_free(port) is True
