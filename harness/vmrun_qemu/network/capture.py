"""The record of a virtual network: what passes its gateway, as pcap files, and what its gateway has open on the host.

Between the cable and the gateway every frame is recorded that a guest sends to the world beyond its network, and every
frame that comes from there. What the gateway does with the first kind is in its table of connections.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Failure, Flags, say
from harness.vmrun_qemu.network import definitions, switch
from harness.vmrun_qemu.qemu import qmp

# Of each frame: the headers of Ethernet, IP and TCP, and the head of what they carry.
_BYTES_OF_A_FRAME = 128
# `info usernet` of QEMU: protocol with state, descriptor, source and destination with their ports, two queues.
_ROW = re.compile(r"^\s*(TCP|UDP|ICMP)\[([^\]]*)\]\s+(-?\d+)\s+(\S+)\s+(\d+|-)\s+(\S+)\s+(\d+|-)\s+\d+\s+\d+\s*$")


def start_record(parameters: Sequence[str], _flags: Flags) -> int:
    """Have all that passes the gateway from now on in pcap files of that directory, one for each start of the network.

    Raises:
        Failure: There is no such directory, or the gateway refuses.
    """
    vmnet = definitions.normal_name(parameters[0])
    directory = Path(parameters[1]).absolute()
    if not directory.is_dir():
        raise Failure(f"A file was not found: {directory}")
    with switch.locked(vmnet):
        _stop(vmnet)
        home.write_json(_setting(vmnet), {"directory": str(directory)})
        up = switch.load(vmnet)
        try:
            if up is not None:
                record(vmnet, up["qmp"])
        except qmp.QmpError as error:
            raise Failure(str(error)) from error
    return 0


def stop_record(parameters: Sequence[str], _flags: Flags) -> int:
    """Have nothing recorded any more; the files stay."""
    vmnet = definitions.normal_name(parameters[0])
    with switch.locked(vmnet):
        _stop(vmnet)
    return 0


def list_connections(parameters: Sequence[str], _flags: Flags) -> int:
    """Print a JSON list of what the gateway has open; of a network that is down nothing is.

    Raises:
        Failure: The gateway does not answer, or says something that cannot be read.
    """
    vmnet = definitions.normal_name(parameters[0])
    with switch.locked(vmnet):
        up = switch.load(vmnet)
        try:
            text = qmp.human(up["qmp"], "info usernet") if up is not None else ""
        except qmp.QmpError as error:
            raise Failure(str(error)) from error
    say(json.dumps(parse_connections(text), indent=1))
    return 0


def record(vmnet: str, address: str) -> None:
    """Have the gateway of a network that is up recorded, if that is wanted and its directory is still there.

    Raises:
        QmpError: The gateway refuses.
    """
    directory = Path((home.read_json(_setting(vmnet)) or {}).get("directory", ""))
    if directory.name and directory.is_dir():
        number = 1 + sum(1 for _ in directory.glob(f"{vmnet}-*.pcap"))
        file = str(directory / f"{vmnet}-{number}.pcap")
        wanted = {"qom-type": "filter-dump", "id": "record", "netdev": "gateway", "file": file}
        qmp.ask(address, ("object-add", {**wanted, "maxlen": _BYTES_OF_A_FRAME}))


def parse_connections(text: str) -> list[dict[str, Any]]:
    """Return the rows of `info usernet`.

    Raises:
        Failure: A row cannot be read.
    """
    rows = []
    for line in text.splitlines():
        match = _ROW.match(line)
        if match is not None:
            keys = ("protocol", "state", "descriptor", "source", "source_port", "target", "target_port")
            rows.append(dict(zip(keys, match.groups(), strict=True)))
        elif line.strip() and not re.match(r"^(Hub -?\d+ \(.*\):|\s*Protocol\[State\])", line):
            raise Failure(f"the gateway said something that cannot be read: {line.strip()}")
    return rows


def _stop(vmnet: str) -> None:
    _setting(vmnet).unlink(missing_ok=True)
    up = switch.load(vmnet)
    if up is not None:
        with contextlib.suppress(qmp.QmpError):  # nothing was recorded
            qmp.ask(up["qmp"], ("object-del", {"id": "record"}))


def _setting(vmnet: str) -> Path:
    return home.net_dir(vmnet) / "traffic.json"
