"""The daemon of one virtual network, which runs its switch.

Started by `switch.plug_in` while that holds the network's lock; reports how it started (see `base.daemon`), and ends
with the last VM. It restarts a switch that died, and checks once a second whether any VM that is plugged in still
lives, so that nothing is left even if every other process of this program is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.system import process_identity
from harness.vmrun_qemu.base import endpoint, home, process
from harness.vmrun_qemu.base.daemon import StartReport, report_start
from harness.vmrun_qemu.base.endpoint import Endpoint
from harness.vmrun_qemu.base.messages import Failure, PowerOnFailure
from harness.vmrun_qemu.base.process import Child
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.network import capture, definitions, gateway_bridge, slirp, switch
from harness.vmrun_qemu.qemu import locate, qmp

_START_S = 40.0
_POLL_S = 1.0
_END_S = 5.0
# A switch that dies at once each time is not restarted for ever.
_RESTARTS = 5
# The VMs are on hub 0; the gateway has a hub of its own (see `gateway_bridge`).
_INNER_HUB = 1


@dataclass(frozen=True)
class RunningSwitch:
    """A switch of this daemon: its process and the directory of its sockets.

    Both can be ended and removed after the files of the network were deleted.
    """

    child: Child
    socket_dir: str

    def end(self) -> bool:
        """End the process and remove its sockets; return whether it ended."""
        self.child.terminate()
        if not process.end_soon(self.child, _END_S):
            return False
        endpoint.remove_socket_dir(self.socket_dir)
        return True


def main() -> int:
    """Run the network named by the first argument until it is unused."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the switch is ended on the way out
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return run_network(sys.argv[1], start_switch, report_start, _pause)


def run_network(
    vmnet: str,
    start: Callable[[str], RunningSwitch],
    report: Callable[[StartReport], None],
    pause: Callable[[float], None],
) -> int:
    """Run a network until it is unused; return the exit status of its daemon.

    Args:
        vmnet: Its name.
        start: Starts the switch, the first one and each after one that died.
        report: Reports to the process that started this one.
        pause: Waits some seconds before the next attempt.
    """
    try:
        running = start(vmnet)
    except (Failure, OSError) as error:
        report(StartReport(_one_line(error)))
        switch.forget(vmnet)
        return 1
    restarts = 0
    try:
        report(StartReport())
        while True:
            ended = process.ended(running.child, _POLL_S)
            try:
                if not switch.members(vmnet):
                    if ended or _end_unused_switch(vmnet, running):
                        return 0
                elif ended:
                    restarts += 1
                    if restarts > _RESTARTS:
                        _give_up(vmnet)
                        return 1
                    running = _restart_switch(vmnet, start)
            except (Failure, OSError) as error:
                _log(f"the switch of {vmnet} could not be restarted or ended: {_one_line(error)}")
                pause((restarts + 1) * _POLL_S)
    finally:
        running.end()


def _pause(seconds: float) -> None:
    wait_for(lambda: False, seconds)


def _one_line(error: Exception) -> str:
    return " ".join((error.reason if isinstance(error, PowerOnFailure) else str(error)).split())


def _log(line: str) -> None:
    """Write a line to `daemon.log`."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
    sys.stderr.flush()


def _give_up(vmnet: str) -> None:
    _log(f"the switch of {vmnet} ended {_RESTARTS + 1} times; the network is down until a VM is started")
    with switch.locked(vmnet):
        switch.forget(vmnet)


def _end_unused_switch(vmnet: str, running: RunningSwitch) -> bool:
    """End a switch without a VM; return whether it has ended.

    The last VM was killed, or is being unplugged at this moment. In the second case the result is False: the process
    that holds the lock ends the switch, and waits for this process to end.
    """
    try:
        with switch.locked(vmnet, timeout_s=0):
            if switch.members(vmnet):
                return False
            if not running.end():
                return False
            switch.forget(vmnet)
            return True
    except Failure:
        return False


def _restart_switch(vmnet: str, start: Callable[[str], RunningSwitch]) -> RunningSwitch:
    """Start a new switch for running VMs."""
    with switch.locked(vmnet):
        switch.forget(vmnet)
        return start(vmnet)


def launch(argv: list[str], folder: Path) -> Child:
    """Start the QEMU of a switch, with its output in `qemu.log`.

    Raises:
        OSError: It cannot be started.
    """
    with (folder / "qemu.log").open("wb") as log:
        log.write((" ".join(argv) + "\n").encode())
        log.flush()
        return process.start_bound(argv, log, folder)


def start_switch(vmnet: str, launch: Callable[[list[str], Path], Child] = launch) -> RunningSwitch:
    """Start the switch of a network and connect its cards.

    Raises:
        Failure: QEMU is missing or does not start, or a forwarded port is in use.
        OSError: A file cannot be written, or the process cannot be started.
    """
    network = definitions.get(vmnet)
    folder = home.net_dir(vmnet)
    binary = locate.find().binary
    socket_dir = endpoint.new_socket_dir()
    address, cable, gateway = (endpoint.new_endpoint(socket_dir, name) for name in ("qmp", "cable", "gateway"))
    argv = [
        str(binary), "-name", f"switch-{vmnet}", "-no-user-config", "-nodefaults",
        "-machine", "none", "-display", "none",
        "-chardev", address.chardev("qmp"), "-mon", "chardev=qmp,mode=control",
        "-netdev", slirp.gateway_option(network, definitions.services(vmnet)),
        "-netdev", f"hubport,id=h-gateway,hubid={_INNER_HUB},netdev=gateway",
        "-netdev", gateway.netdev("inside"), "-netdev", f"hubport,id=h-inside,hubid={_INNER_HUB},netdev=inside",
        "-netdev", cable.netdev("outside"), "-netdev", "hubport,id=h-outside,hubid=0,netdev=outside",
    ]  # fmt: skip
    record: switch.SwitchRecord = {
        "daemon": process_identity.identity(os.getpid()), "qemu": {"pid": 0, "created": 0.0}, "qmp": address.text,
        "socket_dir": socket_dir, "subnet": str(network.subnet),
    }  # fmt: skip
    switch.save(vmnet, record)
    endpoint.make_socket_dir(socket_dir)
    running = RunningSwitch(launch(argv, folder), socket_dir)
    try:
        record["qemu"] = process_identity.identity(running.child.pid)
        switch.save(vmnet, record)
        _connect(vmnet, record, running.child, (cable, gateway))
    except BaseException:
        running.end()
        raise
    return running


def _connect(vmnet: str, record: switch.SwitchRecord, child: Child, inner: tuple[Endpoint, Endpoint]) -> None:
    """Wait for the switch; connect its gateway and the cards."""
    if not wait_for(lambda: child.poll() is not None or qmp.is_up(record["qmp"]), _START_S) or child.poll() is not None:
        raise qmp.QmpError("the switch did not start: " + process.tail(home.net_dir(vmnet) / "qemu.log"))
    gateway_bridge.connect(*inner, broken=child.terminate)
    connect_all(vmnet, record["qmp"])


def connect_all(vmnet: str, address: str) -> None:
    """Open the forwarded ports of a switch and connect its reachable cards.

    Raises:
        Failure: A forwarded port is in use.
        QmpError: The switch does not answer.
    """
    capture.attach(vmnet, address)
    for rule in definitions.forwards(vmnet):
        complaint = switch.forward(address, rule)
        if complaint:
            raise Failure(f"port {rule['host_port']}/{rule['protocol']} of 127.0.0.1 is taken ({complaint})")
    for name, member in switch.members(vmnet).items():
        try:
            switch.attach(address, name, member["plug"])
        except qmp.QmpError as error:  # the VM may be powering off; `plug_in` checks its own card
            _log(f"{name} is not connected to {vmnet}: {error}")


if __name__ == "__main__":
    sys.exit(main())
