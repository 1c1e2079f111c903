"""Endpoints: one address as text, as QEMU options, and as a socket."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from needs import posix_paths

from harness.vmrun_qemu.base.endpoint import (
    Endpoint,
    make_socket_dir,
    new_endpoint,
    new_socket_dir,
    quoted,
    remove_socket_dir,
)


def test_a_tcp_address_in_the_options_of_qemu() -> None:
    tcp = Endpoint("127.0.0.1:4000")
    assert tcp.is_tcp
    assert tcp.chardev("c") == "socket,id=c,host=127.0.0.1,port=4000,server=on,wait=off"
    assert tcp.netdev("n") == "stream,id=n,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=4000"
    assert tcp.migration_uri == "tcp:127.0.0.1:4000"
    assert tcp.qapi() == {"type": "inet", "host": "127.0.0.1", "port": "4000"}


@posix_paths
def test_a_socket_path_in_the_options_of_qemu() -> None:
    unix = Endpoint("/tmp/vq-1/a,b")
    assert not unix.is_tcp
    assert unix.chardev("c") == "socket,id=c,path=/tmp/vq-1/a,,b,server=on,wait=off"
    assert unix.netdev("n") == "stream,id=n,server=on,addr.type=unix,addr.path=/tmp/vq-1/a,,b"
    assert unix.migration_uri == "unix:/tmp/vq-1/a,b"
    assert unix.qapi() == {"type": "unix", "path": "/tmp/vq-1/a,b"}


def test_a_comma_is_doubled() -> None:
    assert quoted("a,b,,c") == "a,,b,,,,c"


def test_a_client_reaches_the_listener() -> None:
    folder = new_socket_dir()
    make_socket_dir(folder)
    endpoint = new_endpoint(folder, "service")
    with endpoint.listen() as listener, endpoint.connect(5) as client:
        server, _ = listener.accept()
        with server:
            client.sendall(b"x")
            assert server.recv(1) == b"x"
    remove_socket_dir(folder)
    assert not folder or not Path(folder).exists()


def test_an_address_without_a_listener_is_an_error() -> None:
    with pytest.raises(OSError, match=r".+"):
        new_endpoint("", "none").connect(1)


def test_an_address_in_use_cannot_be_listened_on() -> None:
    endpoint = new_endpoint("", "service")
    with endpoint.listen(), pytest.raises(OSError, match=r".+"):
        endpoint.listen()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows needs no socket directory")
def test_a_socket_directory_is_private_and_short() -> None:
    path = new_socket_dir()
    make_socket_dir(path)
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o700
    assert len(f"{path}/ethernet9") < 107
    with pytest.raises(FileExistsError):
        make_socket_dir(path)
    remove_socket_dir(path)
    remove_socket_dir(path)


def test_only_a_socket_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    remove_socket_dir(str(tmp_path))
    remove_socket_dir("")
    assert (tmp_path / "file").exists()
