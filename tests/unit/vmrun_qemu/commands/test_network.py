"""Ports that are forwarded into a network that is up, with a switch that is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.vmrun_qemu.main import main
from harness.vmrun_qemu.network import definitions, switch
from harness.vmrun_qemu.qemu import qmp

OLD = ["setPortForwarding", "vmnet1", "tcp", "40022", "192.168.6.10", "22"]
NEW = [*OLD[:4], "192.168.6.11", "22"]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the switch has open; a rule to .11 is refused."""
    rules: list[str] = []

    def human(_: str, line: str) -> str:
        what, _, rule = line.split()
        if what == "hostfwd_add":
            if "192.168.6.11" in rule:
                return "could not set up host forwarding rule"
            rules.append(rule)
        else:
            rules[:] = [one for one in rules if not one.startswith(rule)]
        return ""

    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.setattr(qmp, "human", human)
    monkeypatch.setattr(switch, "load", lambda _: {"qmp": "here"})
    return rules


def test_a_rule_that_cannot_be_had_leaves_the_old_one(opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(OLD) == 0
    before = list(opened)
    assert main(NEW) == 255
    said = capsys.readouterr().out
    assert said == "Error: The host port 40022/tcp is already in use: could not set up host forwarding rule\n"
    assert opened == before == ["tcp:127.0.0.1:40022-192.168.6.10:22"]
    assert [rule["guest_ip"] for rule in definitions.forwards("vmnet1")] == ["192.168.6.10"]


def test_a_switch_that_does_not_answer_is_told_in_one_line(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(OLD) == 0

    def gone(*_: object) -> str:
        raise qmp.QmpError("QEMU does not run: [Errno 2]")

    monkeypatch.setattr(qmp, "human", gone)
    for words in (NEW, ["deletePortForwarding", "vmnet1", "tcp", "40022"]):
        assert main(words) == 255
        assert capsys.readouterr().out == "Error: Unknown error: QEMU does not run: [Errno 2]\n"
