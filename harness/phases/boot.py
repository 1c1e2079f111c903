"""Boot: the machine runs, its guest gives a sign of life that belongs to this run, and lets us in."""

from __future__ import annotations

from collections.abc import Iterator

from harness.machine import Machine
from harness.verdict import Check, Phase, Status
from harness.vmrun import PortForwarding, Protocol

PHASE = Phase.BOOT
CHECKS = ("running", "guest answers", "ssh login")


def run(machine: Machine) -> Iterator[Check]:
    """Start the machine from its blank disk and wait for the installed system's SSH."""
    deadlines = machine.host.plan.spec.deadlines_s
    forward_ssh(machine)
    machine.power_on(1)
    machine.wait_for("`vmrun list` to show it", lambda: machine.is_running() or None, machine.deadline(deadlines.power))
    yield Check(CHECKS[0], Status.PASS, "in `vmrun list`", "in `vmrun list`")

    deadline = machine.deadline(deadlines.boot)
    if machine.sends_events:
        first = machine.wait_for("a first event on the serial line", lambda: _first_event(machine), deadline)
        yield Check(CHECKS[1], Status.PASS, "an event with this run's nonce", str(first))
        machine.connect(deadline)
    else:
        machine.connect(deadline)
        yield Check(CHECKS[1], Status.PASS, "an answer by SSH (this seed sends no events)", "an SSH login")
    yield Check(
        CHECKS[2],
        Status.PASS,
        "a login with the lab's key and the expected host key",
        f"{machine.facts.get('ssh_logins')} login(s), boot {machine.boot_ids[-1]}",
    )


def forward_ssh(machine: Machine) -> None:
    """Have the machine's SSH reachable on its loopback port, where it is reached by forwarding."""
    endpoint, spec = machine.plan.endpoint, machine.host.plan.spec
    if endpoint.forward:
        forwarding = PortForwarding(Protocol.TCP, endpoint.port, machine.plan.address, spec.ssh.port, machine.name)
        machine.host.vmrun.networks.set_port_forwarding(spec.network.vmnet.lower(), forwarding)


def _first_event(machine: Machine) -> str | None:
    return machine.boot.events[0].event if machine.boot and machine.boot.events else None
