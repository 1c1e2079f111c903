"""Boot: the VM runs, its guest reports, and SSH works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.deadline import Pending, wait_until
from harness.core.verdict import Check, Phase
from harness.ownership.register import register_forwarding
from harness.vmrun.errors import PortInUse
from harness.vmrun.vmware_log import monitor_mode

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.BOOT
RUNNING = CheckSpec(PHASE, "running", (Claim.BUILT,), "in `vmrun list`")
ANSWERS = CheckSpec(PHASE, "guest answers", (Claim.INSTALLED,), "an event with this run's nonce")
LOGIN = CheckSpec(PHASE, "ssh login", (Claim.INSTALLED,), "a login with the lab's key and the expected host key")
THIS_RUN = CheckSpec(PHASE, "this run's machine", (Claim.INSTALLED,), "the nonce of this run in the firmware")
CHECKS = (RUNNING, ANSWERS, LOGIN, THIS_RUN)

_PORTS_TRIED = 5
_SLOW_MODE = "ULM (Hyper-V or VBS of Windows is on: VMs are slower)"


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Start the VM from its blank disk and wait for SSH."""
    forward_ssh(machine)
    deadline = machine.deadline(limits.boot, "boot")
    machine.power.on(1, deadline)
    power = deadline.at_most(limits.power)
    wait_until(
        lambda left: (
            machine.power.is_running(left) or Pending("`vmrun start` succeeded, and `vmrun list` does not have it")
        ),
        power,
        what="`vmrun list` to show it",
        where=machine.name,
        remedy="`vmrun list` shows only machines of the same user, logon and elevation; vmware.log says if it went off",
    )
    if mode := monitor_mode(machine.plan.files.vmx):
        machine.journal.facts({"monitor_mode": _SLOW_MODE if mode == "ULM" else mode})
    yield RUNNING.judge(ok=True, seen="in `vmrun list`")
    if machine.sends_events:
        first = machine.wait_for("a first event on the serial line", lambda: _first_event(machine), deadline)
        yield ANSWERS.judge(ok=True, seen=first)
        machine.ssh.connect(deadline)
    else:
        machine.ssh.connect(deadline)
        by_ssh = "an answer by SSH (this seed sends no events)"
        yield ANSWERS.judge(ok=True, expected=by_ssh, seen="an SSH login")
    yield from _logged_in(machine)


def _logged_in(machine: Machine) -> Iterator[Check]:
    """Yield what the login proved.

    The SSH session has compared nonce and boot id: no other VM and no other boot passes.
    """
    yield LOGIN.judge(ok=True, seen=f"{machine.facts.ssh_logins} login(s), boot {machine.facts.boot_id}")
    bound = THIS_RUN.expected
    yield THIS_RUN.judge(ok=True, expected=f"{bound}: {machine.plan.nonce}", seen=f"{bound}, read after the login")


def forward_ssh(machine: Machine) -> None:
    """Forward a loopback port to the VM's SSH; retry with others if in use.

    Raises:
        PortInUse: The lab file sets that port, or each of several ports was taken by another process.
    """
    if not machine.endpoint.forward:
        return
    for left in reversed(range(_PORTS_TRIED)):
        try:
            _forward_ssh(machine)
        except PortInUse:
            if machine.context.plan.spec.ssh.forward_base_port is not None or not left:
                raise
            machine.use_port(machine.context.ports.take())
        else:
            return


def _forward_ssh(machine: Machine) -> None:
    from harness.vmrun.networks import PortForwarding, Protocol  # noqa: PLC0415 - saves 15 ms where tests are collected

    context, port = machine.context, machine.endpoint.port
    network = context.plan.spec.network.vmnet.lower()
    register_forwarding(context.ledger, machine.name, network, port)
    forwarding = PortForwarding(Protocol.TCP, port, machine.plan.address, context.plan.spec.ssh.port, machine.name)
    context.vmrun.networks.set_port_forwarding(network, forwarding)


def _first_event(machine: Machine) -> str | None:
    return machine.console.events[0].event if machine.console.events else None
