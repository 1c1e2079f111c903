"""A fake guest whose agent runs commands."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fake_agent import in_step, reply, supervised

from harness.vmrun_qemu.base import records

FLAGS = {"-gu": "user", "-gp": "secret"}


class FakeShellGuest:
    """An agent whose commands all end alike; it keeps one file."""

    def __init__(self, output: bytes = b"+", status: int = 0) -> None:
        self.output = output
        self.status = status
        self.commands: list[dict[str, Any]] = []
        self.file = b""
        self.room = 1 << 30

    def __call__(self, question: dict[str, Any]) -> bytes:
        arguments = question.get("arguments", {})
        match question["execute"]:
            case "guest-exec":
                self.commands.append(arguments)
                return reply({"pid": 7})
            case "guest-exec-status":
                encoded = base64.b64encode(self.output).decode()
                return reply({"exited": True, "exitcode": self.status, "out-data": encoded})
            case "guest-file-open":
                return reply(1)
            case "guest-file-write":
                piece = base64.b64decode(arguments["buf-b64"])[: self.room]
                self.file += piece
                return reply({"count": len(piece)})
            case "guest-file-read":
                piece, self.file = self.file[: arguments["count"]], self.file[arguments["count"] :]
                return reply({"count": len(piece), "buf-b64": base64.b64encode(piece).decode(), "eof": not self.file})
            case "guest-file-close":
                return reply({})
        return in_step(question)


@contextmanager
def machine(answer: Callable[[dict[str, Any]], bytes], *, port_is_open: bool = True) -> Iterator[str]:
    with supervised(answer, port_is_open=port_is_open) as record:
        records.save(record)
        yield record["vmx"]


def refused(error: str) -> Callable[[dict[str, Any]], bytes]:
    def answer(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-exec":
            return json.dumps({"error": {"desc": error}}).encode() + b"\n"
        return in_step(question)

    return answer
