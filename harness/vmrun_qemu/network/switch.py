"""The switch of a virtual network: a QEMU without a VM.

It is switch, gateway and port forwarder. The QEMU of each VM listens on a socket per network card, and the switch
connects to it: the VMs need the switch neither to start nor to survive, and a switch that died is restarted while they
run. The network's daemon runs the switch; the files below `<home>/net/<vmnet>` list the cards that are plugged in. They
are changed under the network's lock; unplugging the last card ends the switch.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict, cast

from filelock import FileLock, Timeout

from harness.system import process_identity
from harness.system.process_identity import Identity
from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import IN_USE, Failure, PowerOnFailure
from harness.vmrun_qemu.base.records import Plug
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.network.definitions import Forward
from harness.vmrun_qemu.qemu import qmp

_LOCK_S = 120.0
_DAEMON_START_S = 60.0
_DAEMON_END_S = 8.0
_DAEMON_CLEAN_UP_S = 5.0
# QEMU answers QMP a moment before its network cards listen.
_CABLE_S = 10.0
_NOT_PLUGGED = ("", "connection error")


class SwitchRecord(TypedDict):
    """Record of a running switch."""

    daemon: Identity
    qemu: Identity
    qmp: str
    socket_dir: str
    subnet: str


class Member(TypedDict):
    """A network card that is plugged in while its owner lives."""

    plug: Plug
    owner: Identity
    vm: str


@contextlib.contextmanager
def locked(vmnet: str, timeout_s: float = _LOCK_S) -> Iterator[None]:
    """Hold the network's lock.

    Raises:
        Failure: Another process held it for `timeout_s` seconds.
    """
    lock = FileLock(home.net_dir(vmnet) / "lock", timeout=timeout_s)
    try:
        with lock:
            yield
    except Timeout as error:
        raise Failure(f"{IN_USE}: {lock.lock_file}") from error


def load(vmnet: str) -> SwitchRecord | None:
    """Return the record of the network's switch if its daemon lives."""
    record = cast("SwitchRecord | None", home.read_json(home.net_dir(vmnet) / "switch.json"))
    return record if record is not None and process_identity.alive(record["daemon"]) else None


def save(vmnet: str, record: SwitchRecord) -> None:
    """Save the record."""
    home.write_json(home.net_dir(vmnet) / "switch.json", record)


def forget(vmnet: str) -> None:
    """End the QEMU of a switch and remove record and socket."""
    record = cast("SwitchRecord | None", home.read_json(home.net_dir(vmnet) / "switch.json"))
    if record is None:
        return
    from harness.vmrun_qemu.base import process  # noqa: PLC0415 - 20 ms, only where a switch ran
    from harness.vmrun_qemu.base.endpoint import remove_socket_dir  # noqa: PLC0415 - 30 ms, as above

    process.end(record["qemu"])
    remove_socket_dir(record["socket_dir"])
    home.remove(home.net_dir(vmnet) / "switch.json")


def members(vmnet: str) -> dict[str, Member]:
    """Return the cards that are plugged in, by member id.

    Those of a VM that died are dropped.
    """
    found = {}
    for file in (home.net_dir(vmnet) / "members").glob("*.json"):
        member = cast("Member | None", home.read_json(file))
        if member is not None and process_identity.alive(member["owner"]):
            found[file.stem] = member
        else:
            home.remove(file)
    return found


def start_daemon(vmnet: str) -> None:
    """Start the daemon of a network, which connects every card that it can reach.

    Raises:
        PowerOnFailure: A forwarded port is in use, or QEMU is too old.
    """
    from harness.vmrun_qemu.base import daemon  # noqa: PLC0415 - 20 ms, only for the first card of a network

    module, log = "harness.vmrun_qemu.network.daemon", _daemon_log(vmnet)
    report = daemon.start(module, [vmnet], log, timeout_s=_DAEMON_START_S, grace_s=_DAEMON_CLEAN_UP_S)
    if report.problem:
        forget(vmnet)
        raise PowerOnFailure(f"The network {vmnet} cannot be started: {report.problem}")


def plug_in(vm: str, plug: Plug, owner: Identity, start: Callable[[str], None] = start_daemon) -> None:
    """Connect a card to its network; start the network if necessary.

    Raises:
        PowerOnFailure: The network cannot be started: a forwarded port is in use, QEMU is too old.
    """
    vmnet = plug["vmnet"]
    member = f"{vm}-{plug['nic']}"
    with locked(vmnet):
        home.write_json(home.net_dir(vmnet) / "members" / f"{member}.json", {"plug": plug, "owner": owner, "vm": vm})
        record = load(vmnet)
        if record is None:
            forget(vmnet)
            start(vmnet)
            record = load(vmnet)
            if record is None or cable_state(record["qmp"], member) in _NOT_PLUGGED:
                raise PowerOnFailure(f"{plug['nic']} is not connected to {vmnet}; see {_daemon_log(vmnet)}")
            return
        detach(record["qmp"], member)
        attach(record["qmp"], member, plug)


def pull_out(vm: str, plug: Plug) -> None:
    """Disconnect a card; with the last one, stop the network."""
    vmnet = plug["vmnet"]
    member = f"{vm}-{plug['nic']}"
    with locked(vmnet):
        home.remove(home.net_dir(vmnet) / "members" / f"{member}.json")
        record = load(vmnet)
        if record is None:
            forget(vmnet)
        elif members(vmnet):
            detach(record["qmp"], member)
        else:
            shut_down(vmnet, record)


def shut_down(vmnet: str, record: SwitchRecord) -> None:
    """End the switch and its daemon and remove their files."""
    qmp.quit_qemu(record["qmp"])
    if not wait_for(lambda: not process_identity.alive(record["daemon"]), _DAEMON_END_S):
        from harness.vmrun_qemu.base import process  # noqa: PLC0415 - as in `forget`

        process.end(record["daemon"])
    forget(vmnet)


def attach(address: str, member: str, plug: Plug, *, timeout_s: float = _CABLE_S) -> None:
    """Connect the switch to a card, within `timeout_s` seconds.

    Raises:
        QmpError: The switch does not run or refuses, or the card cannot be reached.
    """
    from harness.vmrun_qemu.base.endpoint import Endpoint  # noqa: PLC0415 - 30 ms, only where a switch runs

    cable = {"type": "stream", "id": f"m-{member}", "server": False, "addr": Endpoint(plug["endpoint"]).qapi()}
    port = {"type": "hubport", "id": f"h-{member}", "hubid": 0, "netdev": f"m-{member}"}

    def plugged() -> bool:
        qmp.ask(address, ("netdev_add", cable), ("netdev_add", port))
        if (wait_for(lambda: cable_state(address, member), 1.0) or "") not in _NOT_PLUGGED:
            return True
        detach(address, member)
        return False

    if not wait_for(plugged, timeout_s):
        raise qmp.QmpError(f"{plug['nic']} does not answer at {plug['endpoint']}")


def cable_state(address: str, member: str) -> str:
    """Return the peer of the connection to a card.

    It is empty while the connection is being made, and `connection error` if it failed.

    Raises:
        QmpError: The switch does not run.
    """
    # QEMU 7.2, net/stream.c: the client's `info_str`.
    row = re.search(rf"\bm-{re.escape(member)}: index=\d+,type=stream,([^\r\n]*)", qmp.human(address, "info network"))
    return row[1].strip() if row else ""


def detach(address: str, member: str) -> None:
    """Disconnect the switch from a card, if it is connected."""
    for name in (f"h-{member}", f"m-{member}"):
        with contextlib.suppress(qmp.QmpError):
            qmp.ask(address, ("netdev_del", {"id": name}))


def forward(address: str, rule: Forward) -> str:
    """Open a forwarded port in the switch; return QEMU's error, or nothing.

    Raises:
        QmpError: The switch does not run.
    """
    target = f"{rule['guest_ip']}:{rule['guest_port']}"
    return qmp.human(address, f"hostfwd_add gateway {rule['protocol']}:127.0.0.1:{rule['host_port']}-{target}")


def unforward(address: str, rule: Forward) -> None:
    """Close a forwarded port in the switch.

    Raises:
        QmpError: The switch does not run.
    """
    qmp.human(address, f"hostfwd_remove gateway {rule['protocol']}:127.0.0.1:{rule['host_port']}")


def port_is_free(rule: Forward) -> bool:
    """Return whether the port is free on this host's loopback."""
    import socket  # noqa: PLC0415 - 20 ms, only where a port is forwarded

    kind = socket.SOCK_DGRAM if rule["protocol"] == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if sys.platform != "win32" and kind == socket.SOCK_STREAM:
            # A port in TIME_WAIT can be listened on; one with a listener cannot, on POSIX.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", rule["host_port"]))
        except OSError:
            return False
    return True


def _daemon_log(vmnet: str) -> Path:
    return home.net_dir(vmnet) / "daemon.log"
