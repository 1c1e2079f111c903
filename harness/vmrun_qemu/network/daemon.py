"""The keeper of one virtual network: starts its switch, replaces it when it dies, ends with the last machine.

Started by `switch.plug_in` while that holds the network's lock; reports how it started (see `base.daemon`), and from
then on is bound to no other process. It looks once a second whether any machine that is plugged in still lives, so that
nothing stays behind even if every other process of this program is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from harness.system import process_identity
from harness.vmrun_qemu.base import endpoint, home, process
from harness.vmrun_qemu.base.daemon import StartReport, report_start
from harness.vmrun_qemu.base.messages import Failure, PowerOnFailure
from harness.vmrun_qemu.base.process import Child
from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.network import capture, definitions, gateway_bridge, switch
from harness.vmrun_qemu.qemu import locate, qmp

_START_S = 40.0
_LOOK_S = 1.0
_END_S = 5.0
# A switch that dies at once each time is not replaced for ever.
_RESTARTS = 5
# The cable of the machines is hub 0; the gateway is behind a hub of its own (see `crossing`).
_INNER_HUB = 1


def main() -> int:
    """Keep the network of the first argument until its last machine is gone."""
    vmnet = sys.argv[1]
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        child = _start(vmnet)
    except (Failure, OSError) as error:
        report_start(StartReport(_one_line(error)))
        switch.forget(vmnet)
        return 1
    report_start(StartReport())
    restarts = 0
    while True:
        ended = process.ended(child, _LOOK_S)
        try:
            if not switch.members(vmnet):
                if ended or _sweep(vmnet, child):
                    return 0
            elif ended:
                restarts += 1
                if restarts > _RESTARTS:
                    _give_up(vmnet)
                    return 1
                child = _replace(vmnet)
        except (Failure, OSError) as error:
            _log(f"the switch of {vmnet} could not be replaced, or not be ended: {_one_line(error)}")
            wait_for(lambda: False, (restarts + 1) * _LOOK_S)


def _one_line(error: Exception) -> str:
    return " ".join((error.reason if isinstance(error, PowerOnFailure) else str(error)).split())


def _log(line: str) -> None:
    """Have a line in `keeper.log`."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
    sys.stderr.flush()


def _give_up(vmnet: str) -> None:
    _log(f"the switch of {vmnet} ended {_RESTARTS + 1} times; its machines are without a network until one is started")
    with switch.locked(vmnet):
        switch.forget(vmnet)


def _sweep(vmnet: str, child: Child) -> bool:
    """End a switch that still runs without a machine: the last one was killed, or is being unplugged at this moment.

    Return False where it does not end, and in the second case: whoever holds the lock ends the switch, and waits for
    this process to end.
    """
    try:
        with switch.locked(vmnet, timeout_s=0):
            if switch.members(vmnet):
                return False
            child.terminate()
            if not process.end_soon(child, _END_S):
                return False
            switch.forget(vmnet)
            return True
    except Failure:
        return False


def _replace(vmnet: str) -> Child:
    """Start another switch under running machines."""
    with switch.locked(vmnet):
        switch.forget(vmnet)
        return _start(vmnet)


def _start(vmnet: str) -> Child:
    network = definitions.get(vmnet)
    folder = home.net_dir(vmnet)
    binary = locate.find().binary
    socket_dir = endpoint.new_socket_dir()
    address, cable, gateway = (endpoint.new_endpoint(socket_dir, name) for name in ("qmp", "cable", "gateway"))
    argv = [
        str(binary), "-name", f"switch-{vmnet}", "-no-user-config", "-nodefaults",
        "-machine", "none", "-display", "none",
        "-chardev", address.chardev("qmp"), "-mon", "chardev=qmp,mode=control",
        "-netdev", network.slirp(definitions.services(vmnet)),
        "-netdev", f"hubport,id=h-gateway,hubid={_INNER_HUB},netdev=gateway",
        "-netdev", gateway.netdev("inside"), "-netdev", f"hubport,id=h-inside,hubid={_INNER_HUB},netdev=inside",
        "-netdev", cable.netdev("outside"), "-netdev", "hubport,id=h-outside,hubid=0,netdev=outside",
    ]  # fmt: skip
    record: switch.SwitchRecord = {
        "keeper": process_identity.identity(os.getpid()), "qemu": {"pid": 0, "created": 0.0}, "qmp": address.text,
        "socket_dir": socket_dir, "subnet": str(network.subnet),
    }  # fmt: skip
    switch.save(vmnet, record)
    endpoint.make_socket_dir(socket_dir)
    child = _launch(argv, folder)
    record["qemu"] = process_identity.identity(child.pid)
    switch.save(vmnet, record)
    if not wait_for(lambda: child.poll() is not None or qmp.is_up(address.text), _START_S) or child.poll() is not None:
        raise qmp.QmpError("the switch did not start: " + process.tail(folder / "qemu.log"))
    gateway_bridge.connect(cable, gateway, broken=child.terminate)
    _connect_all(vmnet, record["qmp"])
    return child


def _launch(argv: list[str], folder: Path) -> Child:
    with (folder / "qemu.log").open("wb") as log:
        log.write((" ".join(argv) + "\n").encode())
        log.flush()
        return process.start_bound(argv, log, folder)


def _connect_all(vmnet: str, address: str) -> None:
    capture.attach(vmnet, address)
    for rule in definitions.forwards(vmnet):
        complaint = switch.forward(address, rule)
        if complaint:
            raise Failure(f"port {rule['host_port']}/{rule['protocol']} of 127.0.0.1 is taken ({complaint})")
    for name, member in switch.members(vmnet).items():
        try:
            switch.attach(address, name, member["plug"])
        except qmp.QmpError as error:  # of a machine that is going off, perhaps; `plug_in` looks at its own
            _log(f"{name} is not connected to {vmnet}: {error}")


if __name__ == "__main__":
    sys.exit(main())
