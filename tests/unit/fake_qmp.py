"""A fake QEMU: answers on its QMP socket, records the commands."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

GREETING = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}, "capabilities": []}}


class RefusedError(Exception):
    """The fake QEMU answers with this error."""


@dataclass
class FakeQmp:
    """What the socket's clients have sent; `address` is where it listens."""

    address: str
    commands: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.commands]


def nothing(_name: str, _arguments: dict[str, Any]) -> Any:
    return {}


def objects(client: socket.socket) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a connection; nothing separates them."""
    text = ""
    while data := client.recv(1 << 16):
        text += data.decode("ascii")
        with suppress(ValueError):
            while text:
                value, end = json.JSONDecoder().raw_decode(text)
                text = text[end:].lstrip()
                yield value


@contextmanager
def fake_qmp(answer: Callable[[str, dict[str, Any]], Any] = nothing) -> Iterator[FakeQmp]:
    """Listen like QEMU; `answer` returns a value, or raises `RefusedError`."""
    listener = socket.create_server(("127.0.0.1", 0))
    fake = FakeQmp("{}:{}".format(*listener.getsockname()))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), client:
                client.sendall(json.dumps(GREETING).encode() + b"\n")
                for command in objects(client):
                    client.sendall(json.dumps(reply(command)).encode() + b"\n")

    def reply(command: dict[str, Any]) -> dict[str, Any]:
        echo = {key: command[key] for key in ("id",) if key in command}
        if command["execute"] == "qmp_capabilities":
            return {"return": {}, **echo}
        fake.commands.append((command["execute"], command.get("arguments", {})))
        try:
            return {"return": answer(*fake.commands[-1]), **echo}
        except RefusedError as error:
            return {"error": {"class": "GenericError", "desc": str(error)}, **echo}

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield fake
    finally:
        with suppress(OSError):  # Windows has nothing to shut down in a listener
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
