from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fake_hypervisor import FakeHypervisor
from run_samples import RUN_ID, WORKER, create, events_of, machine_of, with_forwarded_ssh

from harness.config.vmx_template import CD_CONNECTED
from harness.core.deadline import Deadline, SessionClock
from harness.core.errors import HostError
from harness.core.layout import MARKER
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.guest.serial import format_event
from harness.lab.resume.continuation import Resumption
from harness.lab.resume.decision import Decision, Rebuild, RecordedMachine, ResumeMode
from harness.lab.resume.machine_inputs import inputs_of
from harness.lab.selection import Selection
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.phases import CARRIED_PHASES
from harness.vmware.vmx import Vmx

EARLIER = "2026-01-01T00-00-00-0001"
CREATED = tuple(
    Verdict(phase, WORKER, (Check("done", Status.PASS, "-", "-"),), 0.0, 1.0)
    for phase in (Phase.CLEANUP, Phase.CREATION)
)
FINISHED = tuple(Verdict(phase, WORKER, (Check("done", Status.PASS, "-", "-"),), 0.0, 1.0) for phase in CARRIED_PHASES)


class FastClock(SessionClock):
    """A clock that a sleep moves at once."""

    slept = 0.0

    def monotonic(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture
def clock() -> SessionClock:
    return FastClock()


@pytest.fixture
def machine(context: RunContext, selection: Selection) -> Machine:
    """A machine that an earlier run created and did not switch on."""
    machine, planned = machine_of(context), selection.plan(EARLIER).machine(WORKER)
    create(context, planned, EARLIER)
    return machine


def recorded(machine: Machine, selection: Selection) -> RecordedMachine:
    inputs = inputs_of(selection.spec, selection.plan(EARLIER).machine(WORKER), machine.iso)
    return RecordedMachine(EARLIER, EARLIER, inputs, CREATED)


def resumption(
    mode: ResumeMode, selection: Selection, known: Mapping[str, RecordedMachine] | None = None
) -> Resumption:
    return Resumption(mode, known or {}, selection.plan, CARRIED_PHASES)


def journalled(context: RunContext) -> dict[str, object]:
    (event,) = events_of(context, "machine-inputs")
    return event


def test_a_fresh_run_carries_nothing(machine: Machine, selection: Selection, context: RunContext) -> None:
    planned = machine.plan
    decision = resumption(ResumeMode.FRESH, selection, {WORKER: recorded(machine, selection)}).resume(machine)
    assert decision.carried == ()
    assert machine.plan is planned
    assert journalled(context)["made_by"] == RUN_ID


def test_a_created_machine_goes_on_with_its_earlier_plan(
    machine: Machine, selection: Selection, context: RunContext
) -> None:
    decision = resumption(ResumeMode.RESUME, selection, {WORKER: recorded(machine, selection)}).resume(machine)
    assert decision.last is Phase.CREATION
    assert machine.plan.nonce == selection.plan(EARLIER).machine(WORKER).nonce
    assert machine.endpoint == context.plan.machine(WORKER).endpoint
    event = journalled(context)
    assert event["made_by"] == EARLIER
    assert len(event["carried"]) == 2  # type: ignore[arg-type]
    (note,) = events_of(context, "note")
    assert note["text"] == f"continues after creation of run {EARLIER}"


def test_an_unfinished_machine_starts_again_where_only_finished_ones_are_taken(
    machine: Machine, selection: Selection, context: RunContext
) -> None:
    planned = machine.plan
    decision = resumption(ResumeMode.CONVERGE, selection, {WORKER: recorded(machine, selection)}).resume(machine)
    assert decision.carried == ()
    assert decision.why.startswith("not finished: boot, ")
    assert decision.rebuild is Rebuild.UNFINISHED
    assert machine.plan is planned


def test_a_machine_that_was_switched_on_and_is_off_starts_again(machine: Machine, selection: Selection) -> None:
    machine.plan.files.serial(1).touch()
    decision = resumption(ResumeMode.RESUME, selection, {WORKER: recorded(machine, selection)}).resume(machine)
    assert decision.why == "it was switched on and is off: its installation broke off"


def test_a_changed_vmx_starts_again(machine: Machine, selection: Selection) -> None:
    vmx = Vmx.read(machine.plan.files.vmx)
    vmx.set("memsize", "512")
    vmx.write(machine.plan.files.vmx)
    decision = resumption(ResumeMode.RESUME, selection, {WORKER: recorded(machine, selection)}).resume(machine)
    assert "memsize is '512'" in decision.why


def refused(decision: Decision, machine: Machine, mode: Resumption) -> Check:
    assert (decision.carried, decision.rebuild) == ((), None)
    check = mode.refusal(machine, decision)
    assert check is not None
    assert check.status is Status.ERROR
    assert "--fresh" in check.remedy
    return check


def spoil_vmx(machine: Machine, hypervisor: FakeHypervisor) -> None:
    machine.plan.files.vmx.write_bytes(b"\x00\xff not a VMX\n=")


def spoil_seed(machine: Machine, hypervisor: FakeHypervisor) -> None:
    machine.iso = None


def spoil_vmrun(machine: Machine, hypervisor: FakeHypervisor) -> None:
    machine.power.is_running = broken  # type: ignore[method-assign]


def broken(deadline: Deadline | None = None) -> bool:
    raise HostError("vmrun does not answer", remedy="look at vmrun")


def spoil_ledger(machine: Machine, hypervisor: FakeHypervisor) -> None:
    machine.context.ledger.path.write_text("{", encoding="utf-8")


def spoil_marker(machine: Machine, hypervisor: FakeHypervisor) -> None:
    (machine.plan.files.directory / MARKER).unlink()


@pytest.mark.parametrize("mode", [ResumeMode.CONVERGE, ResumeMode.RESUME, ResumeMode.REUSE])
@pytest.mark.parametrize("spoil", [spoil_vmx, spoil_seed, spoil_vmrun, spoil_ledger, spoil_marker])
def test_what_cannot_be_looked_at_is_an_error_and_no_reason_to_rebuild(
    machine: Machine,
    selection: Selection,
    hypervisor: FakeHypervisor,
    context: RunContext,
    mode: ResumeMode,
    spoil: Callable[[Machine, FakeHypervisor], None],
) -> None:
    known = replace(recorded(machine, selection), verdicts=FINISHED, installation={"machine id": "abc"})
    spoil(machine, hypervisor)
    again = resumption(mode, selection, {WORKER: known})
    refused(again.resume(machine), machine, again)
    assert events_of(context, "machine-inputs") == [], "what is recorded of it still holds"


def test_a_machine_that_nothing_records_is_left_alone(machine: Machine, selection: Selection) -> None:
    again = resumption(ResumeMode.CONVERGE, selection)
    assert "neither a record" in refused(again.resume(machine), machine, again).seen


def test_reuse_refuses_what_is_not_finished(machine: Machine, selection: Selection, context: RunContext) -> None:
    reuse = resumption(ResumeMode.REUSE, selection, {WORKER: recorded(machine, selection)})
    refused = reuse.refusal(machine, reuse.resume(machine))
    assert refused is not None
    assert (refused.name, refused.status) == ("reusable", Status.ERROR)
    assert events_of(context, "machine-inputs") == [], "what earlier journals have of it still holds"


def test_reuse_takes_a_finished_machine(machine: Machine, selection: Selection) -> None:
    carried = tuple(Verdict(phase, WORKER, (), 0.0, 1.0) for phase in CARRIED_PHASES)
    assert resumption(ResumeMode.REUSE, selection).refusal(machine, Decision(carried, "")) is None
    assert resumption(ResumeMode.RESUME, selection).refusal(machine, Decision((), "")) is None


def test_a_running_machine_whose_login_cannot_be_tried_is_left_alone(
    machine: Machine, selection: Selection, hypervisor: FakeHypervisor
) -> None:
    hypervisor.running.add(str(machine.plan.files.vmx))
    boot = Verdict(Phase.BOOT, WORKER, (Check("done", Status.PASS, "-", "-"),), 0.0, 1.0)
    known = replace(recorded(machine, selection), verdicts=(*CREATED, boot), boot_id="boot-1")
    again = resumption(ResumeMode.RESUME, selection, {WORKER: known})
    assert "the lab's SSH key cannot be read" in refused(again.resume(machine), machine, again).seen


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections, and that no other program gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize(("events", "waited_s"), [(("ssh-ready", "boot-complete"), 60), (("boot",), 900)])
def test_a_finished_machine_that_does_not_answer_is_waited_for_a_minute_unless_it_boots(
    machine: Machine,
    selection: Selection,
    hypervisor: FakeHypervisor,
    closed_port: int,
    events: Sequence[str],
    waited_s: int,
) -> None:
    planned = with_forwarded_ssh(replace(machine.context, plan=selection.plan(EARLIER)), closed_port).plan
    files, nonce = planned.machine(WORKER).files, planned.machine(WORKER).nonce
    hypervisor.running.add(str(files.vmx))
    vmx = Vmx.read(files.vmx)
    vmx.set(CD_CONNECTED, "FALSE")
    vmx.write(files.vmx)
    files.serial(1).write_text("".join(f"{format_event(event, nonce, 'boot-1')}\n" for event in events))
    planned.ssh_key.parent.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    planned.ssh_key.write_bytes(key)
    finished = replace(recorded(machine, selection), verdicts=FINISHED, boot_id="boot-1", installation={"machine": "1"})
    again = Resumption(ResumeMode.RESUME, {WORKER: finished}, lambda _: planned, CARRIED_PHASES)
    check = refused(again.resume(machine), machine, again)
    assert f"an SSH login: not within {waited_s} s; last seen: no SSH connection: no TCP connection" in check.seen
    assert "read the console" in check.remedy
