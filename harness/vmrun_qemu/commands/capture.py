"""startRecord, stopRecord, listConnections: frames and connections at a network's gateway."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.vmrun_qemu.base.messages import Failure, Flags, print_line
from harness.vmrun_qemu.network import capture, definitions
from harness.vmrun_qemu.qemu import qmp


def start_record(parameters: Sequence[str], _flags: Flags) -> int:
    """Capture all that passes the gateway from now on into that directory.

    Raises:
        Failure: There is no such directory, or the gateway refuses.
    """
    vmnet = definitions.normal_name(parameters[0])
    directory = Path(parameters[1]).absolute()
    if not directory.is_dir():
        raise Failure(f"A file was not found: {directory}")
    try:
        capture.start(vmnet, directory)
    except qmp.QmpError as error:
        raise Failure(str(error)) from error
    return 0


def stop_record(parameters: Sequence[str], _flags: Flags) -> int:
    """Stop capturing; the files stay."""
    capture.stop(definitions.normal_name(parameters[0]))
    return 0


def list_connections(parameters: Sequence[str], _flags: Flags) -> int:
    """Print the gateway's connections as JSON.

    A network that is down has none.

    Raises:
        Failure: The gateway does not answer, or its answer cannot be parsed.
    """
    try:
        rows = capture.connections(definitions.normal_name(parameters[0]))
    except qmp.QmpError as error:
        raise Failure(str(error)) from error
    print_line(json.dumps(rows, indent=1))
    return 0
