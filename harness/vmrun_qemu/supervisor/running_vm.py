"""A running VM in its supervisor."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.base.process import Child
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.supervisor.prepare import Prepared
from harness.vmrun_qemu.supervisor.server import RequestServer
from harness.vmrun_qemu.vmfiles.devices import Drive
from harness.vmrun_qemu.vmfiles.vmware_log import VmLog


class RunningVm:
    """QEMU process, record, and the VMX to write at power-off.

    `busy` is held during each operation; `ending` is True once QEMU was requested to end. What `writeVariable` has
    written since power-on is in `variables` (by key in lower case) and `environment`; the devices that were connected
    or disconnected are in `plugged`.
    """

    def __init__(self, prepared: Prepared, child: Child, record: records.Record, log: VmLog) -> None:
        self.child = child
        self.record = record
        self.log = log
        self.vmx = prepared.vmx
        self.machine = prepared.machine
        self.folder = prepared.folder
        self.service: RequestServer | None = None
        self.ending = False
        self.plugged = dict(prepared.saved.plugged) if prepared.saved else {}
        self.variables = dict(prepared.saved.variables) if prepared.saved else {}
        self.environment: dict[str, str] = {}
        self.busy = threading.RLock()

    @property
    def path(self) -> Path:
        """The VMX file."""
        return Path(self.record["vmx"])

    @property
    def disks(self) -> list[Drive]:
        """The disks, with the files that are in use now."""
        return [drive for drive in self.machine.drives if drive.path is not None and not drive.cdrom]

    @property
    def is_paused(self) -> bool:
        """Whether `pause` has stopped the vCPUs."""
        return self.record["phase"] == "paused"

    def ask(self, *commands: qmp.Command, timeout_s: float = qmp.TIMEOUT_S) -> list[Any]:
        """Return the answers of its QEMU; see `qmp.ask`.

        Raises:
            QmpError: A command failed, or was not answered in time.
        """
        return qmp.ask(self.record["qmp"], *commands, timeout_s=timeout_s)

    def enter(self, phase: str) -> None:
        """Write the phase to the record."""
        self.record["phase"] = phase
        records.save(self.record)
