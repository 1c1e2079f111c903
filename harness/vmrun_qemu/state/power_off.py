"""Cut the power of a VM."""

from __future__ import annotations

from harness.vmrun_qemu.base import process
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.state.power import gone, stays_on

_HARD_STOP_S = 60.0


def stop_hard(record: Record) -> int:
    """Cut the power of a VM; return the exit status 0.

    Raises:
        Failure: It does not power off.
    """

    if not (qmp.quit_qemu(record["qmp"]) and gone(record, _HARD_STOP_S)):
        process.end(record["qemu"])
        if not gone(record, _HARD_STOP_S):
            raise stays_on(record)
    return 0
