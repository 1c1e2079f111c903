"""`vmrun-qemu` commands as processes forked from one that has its modules loaded.

A command runs as with `python -m harness.vmrun_qemu`: its process has an environment, standard streams, a pid and an
exit status of its own. Saved are the start of an interpreter and its imports, which take longer than most commands do.
Commands that are killed or run at the same time, the contract's bench, the faults and tests/interop start it anew.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import vmrun_qemu

_REQUEST_BYTES = 1 << 18


class ForkServer:
    """The process that is forked, and the connection to it.

    It ends with this process.
    """

    def __init__(self) -> None:
        self._wire, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # A pipe, as the standard output of every command is: Python looks at its start whether it can seek there.
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
            )

    def close(self) -> None:
        self._wire.close()
        self._process.communicate()

    def run(self, words: Sequence[str], env: Mapping[str, str], timeout_s: float) -> tuple[int, str, str]:
        """Run a command; return exit status, output and standard error.

        Both streams are read to their end, as from a pipe.
        """
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        request = json.dumps({"words": list(words), "env": dict(env), "cwd": str(Path.cwd())}).encode()
        try:
            socket.send_fds(self._wire, [request], [out_end, err_end])
        finally:
            os.close(out_end)
            os.close(err_end)
        pid = int(self._wire.recv(100))
        try:
            streams = _read(out, err, timeout_s)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
            raise
        finally:
            status = int(self._wire.recv(100))
            os.close(out)
            os.close(err)
        return status, streams[out].decode(), streams[err].decode()


def _read(out: int, err: int, timeout_s: float) -> dict[int, bytes]:
    """Return what comes from two pipes until every process has closed them."""
    end, read = time.monotonic() + timeout_s, {out: b"", err: b""}
    with selectors.DefaultSelector() as selector:
        for pipe in read:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, end - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired("vmrun-qemu", timeout_s)
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                read[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
    return read


@functools.cache
def fork_server() -> ForkServer:
    """Return the one server of this process, started where there is none."""
    server = ForkServer()
    atexit.register(server.close)
    return server


def _serve(wire: socket.socket) -> None:
    """Fork for each request until the connection is closed.

    In the forked process, run the command.
    """
    for module in pkgutil.walk_packages(vmrun_qemu.__path__, "harness.vmrun_qemu."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    from harness.vmrun_qemu.main import main  # noqa: PLC0415  (the tests' own process does not need it)

    while True:
        data, pipes, _, _ = socket.recv_fds(wire, _REQUEST_BYTES, 2)
        if not data:
            return
        pid = os.fork()
        if pid == 0:
            wire.close()
            _become(json.loads(data), pipes)
            sys.exit(main())
        for pipe in pipes:
            os.close(pipe)
        wire.send(str(pid).encode())
        wire.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _become(request: dict[str, Any], pipes: Sequence[int]) -> None:
    """Take over a command's streams, environment, directory and words."""
    for number, pipe in enumerate(pipes, start=1):
        os.dup2(pipe, number)
        os.close(pipe)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["vmrun-qemu", *request["words"]]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
