"""captureScreen: a PNG of what the machine's monitor shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.vmrun_qemu import qmp
from harness.vmrun_qemu.power import running
from harness.vmrun_qemu.texts import FILE_ACCESS, Failure


def capture(parameters: Sequence[str], _flags: Mapping[str, str]) -> int:
    """Write the screen to a PNG file on the host. VMware wants Tools and a guest login for it; here neither is needed.

    Raises:
        Failure: The machine is off, or the file cannot be written.
    """
    record = running(parameters[0])
    target = Path(parameters[1]).absolute()
    if not target.parent.is_dir():
        raise Failure(FILE_ACCESS)
    try:
        # QEMU 7.1 and newer write PNG themselves.
        qmp.ask(record["qmp"], ("screendump", {"filename": str(target), "format": "png"}))
    except qmp.QmpError as error:
        raise Failure(FILE_ACCESS) from error
    return 0
