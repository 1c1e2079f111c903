"""Client of a guest's agent.

It connects to the supervisor, which keeps the connection to the agent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.json_lines import LineStream
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client.supervisor import service_of

# A guest under TCG with a busy processor answers in a second or two.
ANSWER_S = 3.0
# The supervisor runs on this host: it answers at most this much later than the guest.
_MARGIN_S = 10.0


class GuestSilentError(Exception):
    """The guest's agent does not answer."""


class GuestRefusedError(Exception):
    """The guest's agent answered with an error; the text is its own."""


class Guest:
    """The guest of a running VM; a context manager.

    Raises:
        GuestSilentError: The supervisor cannot be reached: the VM is powering off.
    """

    def __init__(self, record: Record) -> None:
        try:
            self._lines = LineStream(Endpoint(service_of(record)).connect(_MARGIN_S))
        except OSError as error:
            raise GuestSilentError(f"cannot reach the supervisor: {error}") from error

    def __enter__(self) -> Guest:
        """Return the guest."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()

    def state(self, limit_s: float = ANSWER_S) -> str:
        """Return `running`, `installed` or `unknown`, as `checkToolsState` prints it."""
        return str(self._answer({"request": "state"}, limit_s))

    def ask(self, command: str, arguments: Mapping[str, Any] | None = None, limit_s: float = ANSWER_S) -> Any:
        """Return the answer of the guest's agent.

        Raises:
            GuestSilentError: There was no answer within `limit_s` seconds.
            GuestRefusedError: The agent answered with an error.
        """
        return self._answer({"request": "agent", "command": command, "arguments": dict(arguments or {})}, limit_s)

    def send(self, command: str, arguments: Mapping[str, Any] | None = None) -> None:
        """Send the guest's agent a command that has no answer.

        Raises:
            GuestSilentError: The agent cannot be reached.
        """
        self._answer({"request": "agent-no-reply", "command": command, "arguments": dict(arguments or {})}, ANSWER_S)

    def _answer(self, question: dict[str, Any], limit_s: float) -> Any:
        end = time.monotonic() + limit_s + _MARGIN_S
        try:
            self._lines.send({**question, "limit_s": limit_s}, end)
            answer = self._lines.receive(end)
        except OSError as error:
            raise GuestSilentError(str(error)) from error
        if answer is None or "silent" in answer:
            raise GuestSilentError("the supervisor closed the connection" if answer is None else str(answer["silent"]))
        if "answer" not in answer:
            raise GuestRefusedError(str(answer.get("refused") or answer.get("failed") or answer))
        return answer["answer"]
