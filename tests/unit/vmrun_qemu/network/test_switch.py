"""The switch of a network: members, lock, ports, record."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from fake_qmp import fake_qmp

from harness.system import process_identity
from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Failure, PowerOnFailure
from harness.vmrun_qemu.base.records import Plug
from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.network.definitions import Forward

PLUG: Plug = {"nic": "ethernet0", "vmnet": "vmnet1", "endpoint": "/nowhere"}
ME = process_identity.identity(os.getpid())
DEAD: process_identity.Identity = {"pid": 999999999, "created": 1.0}


def save_member(name: str, owner: process_identity.Identity) -> Path:
    file = home.net_dir("vmnet1") / "members" / f"{name}.json"
    home.write_json(file, {"plug": PLUG, "owner": owner, "vm": name})
    return file


def save_switch(daemon: process_identity.Identity, qmp: str = "/nowhere") -> None:
    record: switch.SwitchRecord = {
        "daemon": daemon, "qemu": DEAD, "qmp": qmp, "socket_dir": "", "subnet": "192.168.6.0/24",
    }  # fmt: skip
    switch.save("vmnet1", record)


def test_a_card_is_plugged_in_while_its_owner_lives() -> None:
    living, dead = save_member("living", ME), save_member("dead", DEAD)
    assert list(switch.members("vmnet1")) == ["living"]
    assert (living.exists(), dead.exists()) == (True, False)


def test_a_switch_is_up_while_its_daemon_lives() -> None:
    assert switch.load("vmnet1") is None
    save_switch(ME)
    assert switch.load("vmnet1") is not None
    save_switch(DEAD)
    assert switch.load("vmnet1") is None
    switch.forget("vmnet1")
    assert not (home.net_dir("vmnet1") / "switch.json").exists()


def test_the_lock_of_a_network_has_one_holder() -> None:
    with switch.locked("vmnet1"), pytest.raises(Failure, match="already in use"), switch.locked("vmnet1", timeout_s=0):
        pass


@pytest.mark.parametrize(("protocol", "kind"), [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_a_port_is_free_until_a_socket_has_it(protocol: str, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as user:
        user.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            user.listen()
        port = user.getsockname()[1]
        rule: Forward = {
            "protocol": protocol, "host_port": port, "guest_ip": "192.168.6.10", "guest_port": 22, "description": "",
        }  # fmt: skip
        assert not switch.port_is_free(rule)
    assert switch.port_is_free(rule)


def test_the_last_card_of_a_network_that_is_down_leaves_no_record() -> None:
    save_member("vm-ethernet0", ME)
    save_switch(DEAD)
    switch.pull_out("vm", PLUG)
    assert switch.members("vmnet1") == {}
    assert not (home.net_dir("vmnet1") / "switch.json").exists()


@pytest.mark.parametrize("state", ["", "connection error", "unix:/somewhere"])
def test_a_vm_whose_card_is_not_connected_does_not_power_on(state: str) -> None:
    started: list[str] = []

    def start(vmnet: str) -> None:
        started.append(vmnet)
        save_switch(ME, qemu.address)

    with fake_qmp(lambda *_: f" \\ m-m-ethernet0: index=0,type=stream,{state}\r\n") as qemu:
        if state.startswith("unix:"):
            switch.plug_in("m", PLUG, ME, start)
        else:
            with pytest.raises(PowerOnFailure, match=r"operation was canceled") as caught:
                switch.plug_in("m", PLUG, ME, start)
            assert caught.value.reason.startswith("ethernet0 is not connected to vmnet1; see ")
    assert started == ["vmnet1"]
