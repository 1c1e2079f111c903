"""An SSH server with a real `sh` and a connection that can freeze or break."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import IO

import paramiko
from fake_listener import FakeListener
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)


class FakeWire:
    """The server's end of the TCP connection; frozen, it neither reads nor writes."""

    def __init__(self, sock: socket.socket, frozen: threading.Event) -> None:
        self._sock = sock
        self._frozen = frozen
        self._closed = False

    def recv(self, count: int) -> bytes:
        if self._frozen.is_set():
            threading.Event().wait(0.05)
            raise TimeoutError
        return self._sock.recv(count)

    def send(self, data: bytes) -> int:
        if self._frozen.is_set():
            threading.Event().wait(0.05)
            raise TimeoutError
        return self._sock.send(data)

    def settimeout(self, seconds: float | None) -> None:
        self._sock.settimeout(seconds)

    def close(self) -> None:
        self._closed = True
        self._sock.close()

    def getpeername(self) -> object:
        return self._sock.getpeername()


class FakeSession(paramiko.ServerInterface):
    """One connection of the fake guest: who was offered, what was started."""

    def __init__(self, guest: FakeSshGuest) -> None:
        self.guest = guest

    def get_allowed_auths(self, username: str) -> str:
        return self.guest.methods

    def check_auth_none(self, username: str) -> int:
        self.guest.offered.append("none")
        return AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self.guest.offered.append("password")
        return AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.guest.offered.append(f"{username} {key.get_name()} {key.get_base64()}")
        if self.guest.freeze_before_auth:
            self.guest.frozen.set()
        allowed = self.guest.authorized
        known = username not in self.guest.refused and key.get_base64() == allowed
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def get_banner(self) -> tuple[str | None, str | None]:
        return (self.guest.banner, "en-US") if self.guest.banner else (None, None)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind != "session":
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.guest.commands.append(command.decode())
        if self.guest.freeze_before_exec:
            self.guest.frozen.set()
        self.guest.start(channel, command.decode())
        return True


class FakeSshGuest:
    """Listens on a free port of the loopback; `close()` ends every thread, socket and process.

    Attributes:
        offered: One entry per authentication attempt.
        commands: One entry per session's program.
        connections: TCP connections that were accepted.
        methods: The login methods that it offers.
        refused: Accounts that do not get in, whatever their key.
        sudo: What stands for `/usr/bin/sudo -n` in a session's program; the host's account is as good as root here.
    """

    def __init__(self, authorized: paramiko.PKey, host_key: paramiko.PKey) -> None:
        self.authorized = authorized.get_base64()
        self.host_keys: list[paramiko.PKey] = [host_key]
        self.banner: str | None = None
        self.methods = "publickey,password,keyboard-interactive"
        self.refused: set[str] = set()
        self.sudo = ""
        self.mute = False
        self.hang_up = False
        self.freeze_before_auth = False
        self.freeze_before_exec = False
        self.frozen = threading.Event()
        self.offered: list[str] = []
        self.commands: list[str] = []
        self.connections = 0
        self._processes: list[subprocess.Popen[bytes]] = []
        self._transports: list[paramiko.Transport] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = FakeListener()
        self._listener.narrow(1 << 16)
        self.port = self._listener.port
        self._spawn(self._accept)

    def cut(self) -> None:
        """Break every connection, as a guest that loses power does."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        self._listener.close()
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
        for transport in self._transports:
            transport.close()
            transport.join(5)
        for sock in self._sockets:
            sock.close()
        for thread in self._threads:
            thread.join(5)
        for process in self._processes:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def start(self, channel: paramiko.Channel, command: str) -> None:
        """Run a session's program in its own process group and copy its streams."""
        process = subprocess.Popen(
            ["sh", "-c", command.replace("/usr/bin/sudo -n ", self.sudo)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self._processes.append(process)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        pumps = [
            self._spawn(_pump_out, process.stdout, channel.sendall),
            self._spawn(_pump_out, process.stderr, channel.sendall_stderr),
        ]
        self._spawn(_pump_in, channel, process.stdin)
        self._spawn(_finish, channel, process, pumps)

    def _spawn(self, target: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while sock := self._listener.accept():
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as OpenSSH does
            self.connections += 1
            self._sockets.append(sock)
            if self.hang_up:
                sock.close()
            elif not self.mute:
                self._serve(sock)

    def _serve(self, sock: socket.socket) -> None:
        # A wide window, so that a frozen guest fills the socket of who sends to it, as a slow network does.
        wire = FakeWire(sock, self.frozen)
        transport = paramiko.Transport(wire, default_window_size=1 << 26)  # type: ignore[arg-type]  # it is socket-like
        self._transports.append(transport)
        for key in self.host_keys:
            transport.add_server_key(key)
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(event=threading.Event(), server=FakeSession(self))


def _pump_out(stream: IO[bytes], send: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError, EOFError, ValueError):
        while data := stream.read(1 << 16):
            send(data)


def _pump_in(channel: paramiko.Channel, stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError, EOFError, ValueError):
        while data := channel.recv(1 << 16):
            view = memoryview(data)
            while view:
                view = view[stream.write(view) :]
    with contextlib.suppress(OSError, ValueError):
        stream.close()


def _finish(channel: paramiko.Channel, process: subprocess.Popen[bytes], pumps: list[threading.Thread]) -> None:
    status = process.wait()
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.send_exit_status(status if status >= 0 else 128 - status)
        for pump in pumps:
            pump.join(1)
        channel.close()
