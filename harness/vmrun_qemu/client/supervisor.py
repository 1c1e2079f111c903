"""Requests to the supervisor of a running VM.

An operation on the whole VM (suspend, snapshot) is carried out by its supervisor and not by the command, so that a
command that is killed leaves nothing half-done. `supervisor.requests` is the other end.
"""

from __future__ import annotations

import time
from typing import Any

from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.json_lines import LineStream
from harness.vmrun_qemu.base.messages import UNKNOWN, Failure
from harness.vmrun_qemu.base.records import Record

# An operation that has not begun this long before its deadline is not begun any more.
_MARGIN_S = 2.0


def service_of(record: Record) -> str:
    """Return the address of a VM's supervisor.

    Raises:
        OSError: It has none: an older version of this program started the VM.
    """
    if not record.get("service"):
        raise OSError("it is of an older version; power the virtual machine off, and on again")
    return record["service"]


def request(record: Record, what: str, timeout_s: float, /, **words: Any) -> Any:
    """Let the supervisor carry out an operation; return its result.

    Most operations have none.

    Raises:
        Failure: The operation failed, or the supervisor ended or did not answer within `timeout_s` seconds.
    """
    end = time.monotonic() + timeout_s
    words["limit_s"] = timeout_s - min(_MARGIN_S, timeout_s / 2)
    try:
        lines = LineStream(Endpoint(service_of(record)).connect(timeout_s))
        try:
            lines.send({"request": "operation", "operation": what, **words}, end)
            answer = lines.receive(end)
        finally:
            lines.close()
    except OSError as error:
        raise Failure(f"{UNKNOWN}: the supervisor of the virtual machine did not answer: {error}") from error
    if answer is None:
        raise Failure(f"{UNKNOWN}: the supervisor of the virtual machine ended")
    if "answer" not in answer:
        raise Failure(str(answer.get("failed") or answer))
    return answer["answer"]
