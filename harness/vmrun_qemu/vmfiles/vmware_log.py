"""`vmware.log` beside the VMX: events, and reasons as `Msg_Post: Error`."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path

_KEPT = 3  # VMware keeps vmware-0.log to vmware-2.log


class VmLog:
    """The log of one power-on."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "vmware.log"

    def begin(self) -> None:
        """Rotate the logs of earlier power-ons and begin a new one.

        Its first line is VMware's, ` pid=` and all: libvirt takes the process that runs the machine from there.
        """
        names = [self.path, *(self.path.with_name(f"vmware-{number}.log") for number in range(_KEPT))]
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            if newer.exists():
                newer.replace(older)
        self.say(f"Log for vmrun-qemu pid={os.getpid()} option=Release")

    def say(self, text: str) -> None:
        """Append one line with the time in UTC (best effort)."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8") as stream:
            stream.write(f"{stamp} In(05) vmx {text}\n")

    def post(self, kind: str, reason: str, message_id: str = "msg.vmrunqemu") -> None:
        """Append a message that VMware would show in a dialog.

        `kind` is `Error`, `Warning`, `Question` or `Hint`.
        """
        self.say(f"Msg_Post: {kind}")
        for line in reason.splitlines() or [""]:
            self.say(f"[{message_id}] {line}")
        self.say("----------------------------------------")
