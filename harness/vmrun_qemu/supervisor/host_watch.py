"""Watch the host under a running VM.

It logs QEMU that stopped on a disk error, and a network whose daemon ended.

Both leave the guest silent and the VM in the list. `vmware.log` gets the reason within seconds, in VMware's words where
VMware has them.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.supervisor.running_vm import RunningVm

_INTERVAL_S = 3.0
_ANSWER_S = 5.0


class _Trouble(NamedTuple):
    """Something wrong on the host.

    Attributes:
        text: The message while it lasts.
        message_id: VMware's name of that message, where it has one.
        over: The line of the log once it has passed: what was wrong once, ends no later wait.
    """

    text: str
    message_id: str
    over: str


class HostWatch:
    """Logs each trouble of the host once, and its end."""

    def __init__(self, vm: RunningVm) -> None:
        self._vm = vm
        self._known: set[_Trouble] = set()

    def start(self) -> None:
        """Look every few seconds, in a thread that ends with the process."""
        threading.Thread(target=self._watch, name="host watch", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(_INTERVAL_S):
            self.look()

    def look(self) -> None:
        """Log what has changed since the last look.

        An operation on the VM is not disturbed.
        """
        vm = self._vm
        if not vm.busy.acquire(blocking=False):
            return
        try:
            if vm.ending or vm.record["phase"] != "running":
                return
            found = {*self._networks(), *self._disks()}
        except qmp.QmpError:
            return  # QEMU ends, or answers another session: the next look asks again.
        finally:
            vm.busy.release()
        for line in sorted({trouble.over for trouble in self._known} - {trouble.over for trouble in found}):
            vm.log.say(line)
        for trouble in sorted(found - self._known):
            vm.log.post("Error", trouble.text, trouble.message_id)
        self._known = found

    def _networks(self) -> list[_Trouble]:
        """Return the networks without a daemon."""
        names = dict.fromkeys(plug["vmnet"] for plug in self._vm.record["plugs"])
        return [
            _Trouble(
                f"The virtual network {name} is down: its daemon ended.",
                "msg.vmrunqemu.network",
                f"The virtual network {name} is up again.",
            )
            for name in names
            if switch.load(name) is None
        ]

    def _disks(self) -> list[_Trouble]:
        """Return the disks on whose error QEMU stopped.

        Raises:
            QmpError: QEMU does not answer.
        """
        status = self._vm.ask(("query-status", {}), timeout_s=_ANSWER_S)[0]
        if status.get("status") != "io-error":
            return []
        blocks = self._vm.ask(("query-block", {}), timeout_s=_ANSWER_S)[0]
        return [_disk_error(block) for block in blocks if block.get("io-status") in ("nospace", "failed")]


def _disk_error(block: dict[str, Any]) -> _Trouble:
    name = str((block.get("inserted") or {}).get("file") or block.get("qdev") or block.get("device"))
    over = "The virtual machine runs again after an error of its disk."
    if block["io-status"] == "nospace":
        text = f"There is no more space for virtual disk {name}. The virtual machine is paused."
        return _Trouble(text, "msg.hbacommon.outofspace", over)
    text = f"The host cannot read or write virtual disk {name}. The virtual machine is paused."
    return _Trouble(text, "msg.hbacommon.ioerror", over)
