"""connectNamedDevice, disconnectNamedDevice; the supervisor does the work (`hotplug`)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import Flags
from harness.vmrun_qemu.client import supervisor
from harness.vmrun_qemu.state.power import running

_REQUEST_S = 60.0


def connect(parameters: Sequence[str], _flags: Flags) -> int:
    """Connect a device of the VMX (`sata0:1`, `ethernet0`, `serial0`) until power-off.

    Raises:
        Failure: The VM does not run, has no such device, or it cannot be connected.
    """
    supervisor.request(running(parameters[0]), "plug", _REQUEST_S, device=parameters[1], connected=True)
    return 0


def disconnect(parameters: Sequence[str], _flags: Flags) -> int:
    """Disconnect a device of the VMX until power-off.

    Raises:
        Failure: As `connect`.
    """
    supervisor.request(running(parameters[0]), "plug", _REQUEST_S, device=parameters[1], connected=False)
    return 0
