"""Networks and their port forwardings, with a fake switch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from fake_qmp import fake_qmp

from harness.system.process_identity import identity
from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.endpoint import new_endpoint
from harness.vmrun_qemu.main import main
from harness.vmrun_qemu.network import definitions, switch

OLD = ["setPortForwarding", "vmnet1", "tcp", "40022", "192.168.6.10", "22"]
NEW = [*OLD[:4], "192.168.6.11", "22"]


class Switch:
    """A switch whose gateway forwards ports; a rule to .11 is refused."""

    def __init__(self) -> None:
        self.rules: list[str] = []

    def answer(self, name: str, arguments: dict[str, Any]) -> str:
        assert name == "human-monitor-command"
        command, _, rule = arguments["command-line"].split()
        if command == "hostfwd_add" and "192.168.6.11" in rule:
            return "could not set up host forwarding rule"
        if command == "hostfwd_add":
            self.rules.append(rule)
        else:
            self.rules[:] = [one for one in self.rules if not one.startswith(rule)]
        return ""


def bring_up(qmp: str) -> None:
    """Write the record of a switch."""
    me = identity(os.getpid())
    home.net_dir("vmnet1")
    switch.save(
        "vmnet1",
        {"daemon": me, "qemu": me, "qmp": qmp, "socket_dir": "", "subnet": "192.168.6.0/24"},
    )


@pytest.fixture
def gateway() -> Iterator[Switch]:
    """The switch of a network that is up."""
    main(["defineNetwork", "vmnet1", "192.168.6.0/24"])
    fake = Switch()
    with fake_qmp(fake.answer) as qemu:
        bring_up(qemu.address)
        yield fake


def test_a_refused_rule_leaves_the_old_one(gateway: Switch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(OLD) == 0
    before = list(gateway.rules)
    assert main(NEW) == 255
    text = capsys.readouterr().out
    assert text == "Error: The host port 40022/tcp is already in use: could not set up host forwarding rule\n"
    assert gateway.rules == before == ["tcp:127.0.0.1:40022-192.168.6.10:22"]
    assert [rule["guest_ip"] for rule in definitions.forwards("vmnet1")] == ["192.168.6.10"]


def test_a_switch_that_does_not_answer_is_reported_in_one_line(
    gateway: Switch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(OLD) == 0
    assert gateway.rules
    bring_up(new_endpoint("", "none").text)
    for words in (NEW, ["deletePortForwarding", "vmnet1", "tcp", "40022"]):
        assert main(words) == 255
        text = capsys.readouterr().out
        assert text.startswith("Error: Unknown error: QEMU does not run: ")
        assert text.count("\n") == 1


def test_a_forwarding_is_listed_and_deleted(gateway: Switch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*OLD, "ssh"]) == 0
    assert main(["listPortForwardings", "vmnet1"]) == 0
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row == ["0", "tcp", "40022", "192.168.6.10", "22", "ssh"]
    assert main(["deletePortForwarding", "vmnet1", "tcp", "40022"]) == 0
    assert gateway.rules == []
    assert main(["deletePortForwarding", "vmnet1", "tcp", "40022"]) == 255


def test_a_network_that_is_up_keeps_its_subnet(gateway: Switch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["defineNetwork", "vmnet1", "192.168.6.0/24"]) == 0
    assert main(["defineNetwork", "vmnet1", "192.168.7.0/24"]) == 255
    assert capsys.readouterr().out == "Error: vmnet1 is in use with the subnet 192.168.6.0/24\n"
    assert main(["listHostNetworks"]) == 0
    assert "192.168.6.0" in capsys.readouterr().out
