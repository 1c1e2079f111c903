"""captureScreen, typeKeystrokesInGuest: the VM's monitor and keyboard."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from harness.vmrun_qemu.base.messages import FILE_ACCESS, Failure, Flags
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client import supervisor
from harness.vmrun_qemu.client.guest_shell import GuestShell
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.state.power import running

_TYPING_S = 600.0


def capture(parameters: Sequence[str], flags: Flags) -> int:
    """Write the screen to a PNG file on the host.

    On VMware this is a guest operation that needs Tools and a login. So it is here, unless no login is given and
    `VMRUN_QEMU_SCREEN` is `without-login`: the screen of a guest that does not boot is the most useful one.

    Raises:
        Failure: The VM is off, the login is refused, or the file cannot be written.
    """
    record = running(parameters[0])
    if flags.get("-gu") or os.environ.get("VMRUN_QEMU_SCREEN") != "without-login":
        _log_in(parameters[0], flags)
    target = Path(parameters[1]).absolute()
    if not target.parent.is_dir():
        raise Failure(FILE_ACCESS)
    try:
        # QEMU 7.1 and newer write PNG themselves.
        qmp.ask(record["qmp"], ("screendump", {"filename": str(target), "format": "png"}))
    except qmp.QmpError as error:
        raise Failure(FILE_ACCESS) from error
    return 0


def type_keystrokes(parameters: Sequence[str], flags: Flags) -> int:
    """Type a text on the VM's keyboard; a guest operation.

    Raises:
        Failure: The VM is off, the login is refused, or a character has no key.
    """
    record: Record = running(parameters[0])
    _log_in(parameters[0], flags)
    supervisor.request(record, "type", _TYPING_S, text=parameters[1])
    return 0


def _log_in(vmx: str, flags: Flags) -> None:
    with GuestShell(vmx, flags) as shell:
        shell.run("exit 0")
