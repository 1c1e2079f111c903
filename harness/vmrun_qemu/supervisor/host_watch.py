"""Watch the host under a running VM.

It logs QEMU that stopped on a disk error, and a network whose daemon ended.

Both leave the guest silent and the VM in the list. `vmware.log` gets the reason within seconds, in VMware's words where
VMware has them.
"""

from __future__ import annotations

import threading
from typing import Any

from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.supervisor.running_vm import RunningVm

_INTERVAL_S = 3.0
_ANSWER_S = 5.0


class HostWatch:
    """Logs each trouble of the host once, and again after it had passed."""

    def __init__(self, vm: RunningVm) -> None:
        self._vm = vm
        self._known: set[str] = set()

    def start(self) -> None:
        """Look every few seconds, in a thread that ends with the process."""
        threading.Thread(target=self._watch, name="host watch", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(_INTERVAL_S):
            self.look()

    def look(self) -> None:
        """Log what has gone wrong since the last look.

        An operation on the VM is not disturbed.
        """
        vm = self._vm
        if not vm.busy.acquire(blocking=False):
            return
        try:
            if vm.ending or vm.record["phase"] != "running":
                return
            found = {**self._networks(), **self._disks()}
        finally:
            vm.busy.release()
        for text, message_id in found.items():
            if text not in self._known:
                vm.log.post("Error", text, message_id)
        self._known = set(found)

    def _networks(self) -> dict[str, str]:
        """Return the networks without a daemon, as message and message id."""
        names = dict.fromkeys(plug["vmnet"] for plug in self._vm.record["plugs"])
        down = [name for name in names if switch.load(name) is None]
        return {f"The virtual network {name} is down: its daemon ended.": "msg.vmrunqemu.network" for name in down}

    def _disks(self) -> dict[str, str]:
        """Return the disks on whose error QEMU stopped, as message and message id."""
        try:
            status = self._vm.ask(("query-status", {}), timeout_s=_ANSWER_S)[0]
            if status.get("status") != "io-error":
                return {}
            blocks = self._vm.ask(("query-block", {}), timeout_s=_ANSWER_S)[0]
        except qmp.QmpError:
            return {}  # QEMU ends, or answers another session: the next look asks again.
        return dict(_disk_error(block) for block in blocks if block.get("io-status") in ("nospace", "failed"))


def _disk_error(block: dict[str, Any]) -> tuple[str, str]:
    name = str((block.get("inserted") or {}).get("file") or block.get("qdev") or block.get("device"))
    if block["io-status"] == "nospace":
        return (
            f"There is no more space for virtual disk {name}. The virtual machine is paused.",
            "msg.hbacommon.outofspace",
        )
    return f"The host cannot read or write virtual disk {name}. The virtual machine is paused.", "msg.hbacommon.ioerror"
