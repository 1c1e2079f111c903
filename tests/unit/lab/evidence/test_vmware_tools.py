from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_run import FakeRun

from harness.core.errors import GuestError
from harness.core.secret import Secret
from harness.lab.evidence.vmware_tools import ToolsView, ask, compare, observe, probe, status_line
from harness.machine.machine import Machine
from harness.vmrun.driver import Vmrun
from harness.vmrun.invocation import GuestLogin
from harness.vmrun.parse import ToolsState

VMX = Path("nowhere") / "a.vmx"
OURS = IPv4Address("192.168.6.10")
BRIDGE = IPv4Address("172.17.0.1")
ELSEWHERE = ", on another card than that of 192.168.6.10"


class FakeMachine:
    """A machine with a scripted vmrun and one SSH reply."""

    def __init__(self, run: FakeRun, by_ssh: str | None = None) -> None:
        self.name = "a"
        self.written: list[dict[str, Any]] = []
        self.console = SimpleNamespace(started=True)
        self.journal = SimpleNamespace(facts=self.written.append)
        self.ssh = self
        self._by_ssh = by_ssh
        self.plan = SimpleNamespace(files=SimpleNamespace(vmx=VMX), address=OURS)
        self.context = SimpleNamespace(vmrun=Vmrun(("v",), run=run, clock=run.clock), clock=run.clock)

    def run(self, command: str, timeout_s: float) -> SimpleNamespace:
        assert command == "ip -o -4 address show scope global"
        if self._by_ssh is None:
            raise GuestError("no SSH connection to this machine", remedy="-")
        return SimpleNamespace(stdout=self._by_ssh, ok=True)


def vmrun(state: object, address: object, running: bool = True) -> FakeRun:
    listed = f"Total running VMs: 1\n{VMX}\n" if running else "Total running VMs: 0\n"
    run = FakeRun().on("v", "-T", "ws", "list", says=listed)
    run.on("v", "-T", "ws", "checkToolsState", str(VMX), says=state)
    return run.on("v", "-T", "ws", "getGuestIPAddress", str(VMX), says=address)


def seen(run: FakeRun) -> ToolsView:
    return ask(Vmrun(("v",), run=run, clock=run.clock), VMX, run.clock)


def test_what_tools_say() -> None:
    assert seen(vmrun("running\n", "192.168.6.10\n")) == ToolsView(ToolsState.RUNNING, OURS)
    assert seen(vmrun("running\n", "unknown\n")) == ToolsView(ToolsState.RUNNING, None)
    off = seen(vmrun(("unknown\n", 254), "192.168.6.10\n", running=False))
    assert (off.state, off.address) == (ToolsState.UNKNOWN, None)
    assert "old one" in off.why


def test_what_cannot_be_asked_has_its_reason_and_a_time_limit() -> None:
    run = vmrun(("Error: A password is required for this operation\n", 255), "")
    assert seen(run).state is None
    assert "encrypted" in seen(run).why
    assert max(run.timeouts) <= 10


@pytest.mark.parametrize(
    ("tools", "by_ssh", "address", "agreement"),
    [
        (ToolsView(ToolsState.RUNNING, OURS), ["192.168.6.10"], "192.168.6.10", "agree"),
        (ToolsView(ToolsState.RUNNING, OURS), ["172.17.0.1", "192.168.6.10"], "192.168.6.10", "agree"),
        (ToolsView(ToolsState.RUNNING, BRIDGE), ["192.168.6.10"], "172.17.0.1", "differ: SSH shows 192.168.6.10"),
        (
            ToolsView(ToolsState.RUNNING, BRIDGE),
            ["172.17.0.1"],
            "172.17.0.1",
            f"agree, on another card than that of {OURS}",
        ),
        (ToolsView(ToolsState.RUNNING, OURS), [], "192.168.6.10", "differ: SSH shows no address"),
        (ToolsView(ToolsState.RUNNING, None), ["1.2.3.4"], "none", "differ: SSH shows 1.2.3.4"),
        (ToolsView(ToolsState.INSTALLED, None, "w"), ["1.2.3.4"], "none: w", "differ: SSH answers, Tools do not"),
        (ToolsView(None, None, "w"), ["1.2.3.4"], "none", "differ: SSH answers, Tools do not"),
        (ToolsView(ToolsState.RUNNING, OURS), None, "192.168.6.10", "not compared: no SSH connection"),
    ],
)
def test_the_facts(tools: ToolsView, by_ssh: list[str] | None, address: str, agreement: str) -> None:
    facts = compare(tools, by_ssh, OURS)
    assert (facts["Tools address"], facts["Tools and SSH"]) == (address, agreement)
    assert facts["Tools state"] == (tools.state.value if tools.state else "not reported: w")


def test_a_guest_operation_is_tried_where_there_is_a_login() -> None:
    argv = ("v", "-T", "ws", "-gu", "lab", "-gp", "geheim", "directoryExistsInGuest", str(VMX), "/")
    login = GuestLogin("lab", Secret("geheim"))

    def tried(says: object) -> str:
        run = FakeRun().on(*argv, says=says)
        return probe(Vmrun(("v",), run=run, clock=run.clock).guest(VMX, login), run.clock)

    assert tried("The directory exists.\n") == "answered in 0.0 s"
    refused = tried(("Error: Invalid user name or password for the guest OS\n", 255))
    assert refused.startswith("refused: vmrun directoryExistsInGuest failed: the guest rejected the user")


def test_a_line_for_the_terminal() -> None:
    line = status_line("a", ToolsView(ToolsState.RUNNING, OURS), "answered in 0.4 s")
    assert line == "a                Tools running    address 192.168.6.10  guest operations: answered in 0.4 s"
    line = status_line("a", ToolsView(None, None, "why"), "")
    assert line == "a                Tools not reported address none  (why)"


def test_the_guest_is_asked_for_its_addresses_over_ssh() -> None:
    output = (
        "2: ens32    inet 192.168.6.10/24 brd 192.168.6.255 scope global ens32\n3: cni0    inet 10.42.0.1/24 scope\n"
    )
    machine = FakeMachine(vmrun("running\n", "10.42.0.1\n"), output)
    observe(cast(Machine, machine))
    assert machine.written == [
        {"Tools state": "running", "Tools address": "10.42.0.1", "Tools and SSH": f"agree{ELSEWHERE}"}
    ]


def test_a_machine_that_was_not_started_is_not_asked() -> None:
    machine = FakeMachine(FakeRun())
    machine.console.started = False
    observe(cast(Machine, machine))
    assert machine.written == []


def test_a_guest_without_ssh_is_observed_all_the_same() -> None:
    machine = FakeMachine(vmrun(("unknown\n", 254), "unknown\n"))
    observe(cast(Machine, machine))
    assert machine.written[0]["Tools and SSH"] == "not compared: no SSH connection"
