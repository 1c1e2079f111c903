"""Packet capture and connection table of a virtual network's gateway.

Each frame between a guest and the world beyond its network passes between the cable and the gateway, and is captured
there. The table of connections says what the gateway does with the frames that guests send.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.qemu import qmp

# Of each frame: the headers of Ethernet, IP and TCP, and the head of their payload.
_BYTES_OF_A_FRAME = 128
# `info usernet` of QEMU: protocol with state, descriptor, source and destination with their ports, two queues.
_ROW = re.compile(r"^\s*(TCP|UDP|ICMP)\[([^\]]*)\]\s+(-?\d+)\s+(\S+)\s+(\d+|-)\s+(\S+)\s+(\d+|-)\s+\d+\s+\d+\s*$")


def start(vmnet: str, directory: Path) -> None:
    """Capture into pcap files in `directory`, one per network start.

    Raises:
        QmpError: The gateway refuses.
        Failure: Another command holds the network's lock for too long.
    """
    with switch.locked(vmnet):
        _stop(vmnet)
        home.write_json(_setting(vmnet), {"directory": str(directory)})
        up = switch.load(vmnet)
        if up is not None:
            attach(vmnet, up["qmp"])


def stop(vmnet: str) -> None:
    """Stop capturing; the files stay.

    Raises:
        Failure: Another command holds the network's lock for too long.
    """
    with switch.locked(vmnet):
        _stop(vmnet)


def connections(vmnet: str) -> list[dict[str, Any]]:
    """Return the gateway's connections; none while the network is down.

    Raises:
        QmpError: The gateway does not answer.
        Failure: Its answer cannot be parsed.
    """
    with switch.locked(vmnet):
        up = switch.load(vmnet)
        return parse_connections(qmp.human(up["qmp"], "info usernet")) if up is not None else []


def attach(vmnet: str, address: str) -> None:
    """Start the capture in a running switch if one is configured.

    A capture whose directory no longer exists is skipped.

    Raises:
        QmpError: The gateway refuses.
    """
    directory = Path((home.read_json(_setting(vmnet)) or {}).get("directory", ""))
    if directory.name and directory.is_dir():
        number = 1 + sum(1 for _ in directory.glob(f"{vmnet}-*.pcap"))
        file = str(directory / f"{vmnet}-{number}.pcap")
        capture = {"qom-type": "filter-dump", "id": "record", "netdev": "gateway", "file": file}
        qmp.ask(address, ("object-add", {**capture, "maxlen": _BYTES_OF_A_FRAME}))


def parse_connections(text: str) -> list[dict[str, Any]]:
    """Parse the rows of `info usernet`.

    Raises:
        Failure: A row cannot be parsed.
    """
    rows = []
    for line in text.splitlines():
        match = _ROW.match(line)
        if match is not None:
            keys = ("protocol", "state", "descriptor", "source", "source_port", "target", "target_port")
            rows.append(dict(zip(keys, match.groups(), strict=True)))
        elif line.strip() and not re.match(r"^(Hub -?\d+ \(.*\):|\s*Protocol\[State\])", line):
            raise Failure(f"the gateway reported a connection that cannot be parsed: {line.strip()}")
    return rows


def _stop(vmnet: str) -> None:
    _setting(vmnet).unlink(missing_ok=True)
    up = switch.load(vmnet)
    if up is not None:
        with contextlib.suppress(qmp.QmpError):  # no capture is attached
            qmp.ask(up["qmp"], ("object-del", {"id": "record"}))


def _setting(vmnet: str) -> Path:
    return home.net_dir(vmnet) / "traffic.json"
