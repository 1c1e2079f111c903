"""The end of a run: each step is taken, even if another failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_hypervisor import FakeHypervisor
from run_samples import MASTER, WORKER, create, events_of, machine_of, no_facts, no_resumption

from harness.config.model import Keep
from harness.core.deadline import SessionClock
from harness.lab.closing import RunEnd, close_run, delete_machines, delete_or_keep
from harness.lab.evidence.run_evidence import RunEvidence
from harness.lab.keep_policy import MachineUse
from harness.lab.lab import Lab
from harness.lab.opening import journal_run_start
from harness.lab.selection import Selection
from harness.machine.context import RunContext
from harness.machine.machine import Machine
from harness.results.claim_rules import Asked


class UsedLab(Lab):
    """A lab whose machines count as used."""

    def __init__(self, context: RunContext, clock: SessionClock, selection: Selection) -> None:
        machines = [machine_of(context, machine.name) for machine in context.plan.machines]
        super().__init__(clock, context, machines, no_facts, no_resumption(selection.plan))
        self.uses: dict[str, MachineUse] = {}
        journal_run_start(self, selection, ["scenarios"], Asked())

    def use_of(self, machine: str) -> MachineUse | None:
        return self.uses.get(machine)


@pytest.fixture
def used(context: RunContext, clock: SessionClock, selection: Selection) -> Iterator[UsedLab]:
    """A lab with two machines in the ledger, of which this run built the worker."""
    lab = UsedLab(context, clock, selection)
    create(context, context.plan.machine(WORKER))
    create(context, context.plan.machine(MASTER))
    lab.uses[WORKER] = MachineUse.BUILT
    yield lab
    lab.stop()


def junit(lab: Lab) -> Path:
    """Return a file as pytest writes it."""
    path = lab.run.directory.parent / "junit.xml"
    path.write_text('<?xml version="1.0"?><testsuites><testsuite name="pytest"/></testsuites>', encoding="utf-8")
    return path


def exists(lab: Lab, name: str) -> bool:
    return lab.machines[name].plan.files.vmx.exists()


class TestRunEnd:
    def test_a_problem_makes_a_green_run_red(self) -> None:
        assert RunEnd(0).with_problems(()).exit_status == 0
        end = RunEnd(0).with_problems(["a"]).with_problems(["b"])
        assert (end.exit_status, end.problems) == (1, ("a", "b"))
        assert RunEnd(4).with_problems(["a"]).exit_status == 4


def test_a_green_run_deletes_what_it_built_and_keeps_the_rest(used: UsedLab) -> None:
    end = close_run(used, Keep.ON_FAILURE, 0, junit=junit(used))
    assert end.problems == ()
    assert end.exit_status == 0
    assert not exists(used, WORKER)
    assert exists(used, MASTER)
    assert end.kept == {MASTER: "this run did not touch it"}
    assert end.kept_until == ""
    assert end.result is not None
    assert [(machine.name, machine.reason) for machine in end.result.kept] == [(MASTER, end.kept[MASTER])]
    for path in (used.run.run_json, used.run.html, used.run.junit, used.run.ssh_config, used.run.known_hosts):
        assert path.is_file(), path
    assert f"Host {MASTER}" in used.run.ssh_config.read_text(encoding="utf-8")
    assert [event["text"] for event in events_of(used.context, "note") if event["machine"] == WORKER] == [
        f"{WORKER}: removed"
    ]


def test_a_red_run_keeps_its_machines_until_a_time(used: UsedLab) -> None:
    end = close_run(used, Keep.ON_FAILURE, 1, junit=junit(used))
    assert exists(used, WORKER)
    assert end.kept[WORKER] == "keep: on-failure, and the run is not green"
    assert used.context.ledger.read().kept_until == end.kept_until
    assert (end.exit_status, end.problems) == (1, ())


def test_earlier_problems_make_a_run_red_before_machines_are_deleted(used: UsedLab) -> None:
    end = close_run(used, Keep.ON_FAILURE, 0, junit=junit(used), problems=("pytest's own results: full",))
    assert exists(used, WORKER)
    assert (end.exit_status, end.problems) == (1, ("pytest's own results: full",))
    assert "pytest's own results: full" in str(json.loads(used.run.run_json.read_text(encoding="utf-8"))["notes"])


class BrokenEvidence(RunEvidence):
    """Cannot collect the evidence of one machine."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def collect_last(self, machine: Machine) -> None:
        if machine.name == WORKER:
            raise self._error


def test_evidence_that_breaks_keeps_no_machine(used: UsedLab) -> None:
    used.evidence = BrokenEvidence(OSError(28, "No space left on device"))
    end = close_run(used, Keep.NEVER, 0, junit=junit(used))
    assert end.problems == (f"evidence of {WORKER}: No space left on device",)
    assert end.exit_status == 1
    assert not exists(used, WORKER)
    assert end.result is not None


def test_a_second_ctrl_c_lets_the_results_be_written(used: UsedLab) -> None:
    used.evidence = BrokenEvidence(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        close_run(used, Keep.NEVER, 0, junit=junit(used))
    assert exists(used, WORKER), "the deletion was interrupted"
    assert used.run.html.is_file()
    (end,) = events_of(used.context, "run-end")
    assert len(end["run"]["kept"]) == 2  # type: ignore[index]


class BrokenLab(UsedLab):
    """A lab whose threads cannot be stopped."""

    def stop(self) -> None:
        raise ZeroDivisionError("a defect")


def test_threads_that_cannot_be_stopped_are_a_problem(
    context: RunContext, clock: SessionClock, selection: Selection
) -> None:
    lab = BrokenLab(context, clock, selection)
    create(context, context.plan.machine(WORKER))
    lab.uses[WORKER] = MachineUse.REUSED
    end = close_run(lab, Keep.NEVER, 0, junit=junit(lab))
    assert end.problems == ("the threads: ZeroDivisionError: a defect",)
    assert not exists(lab, WORKER)


def test_a_lost_junit_file_is_a_problem_and_the_report_is_written(used: UsedLab) -> None:
    end = close_run(used, Keep.ALWAYS, 0, junit=used.run.directory.parent / "lost.xml")
    (problem,) = end.problems
    assert problem.startswith("junit.xml: ")
    assert end.exit_status == 1
    assert used.run.html.is_file()
    assert end.kept[WORKER] == "keep: always"


def test_a_machine_that_cannot_be_deleted_is_a_problem(used: UsedLab, hypervisor: FakeHypervisor) -> None:
    used.machines[WORKER].plan.files.vmx.write_text('uuid.bios = "another"\n', encoding="utf-8")
    (used.machines[WORKER].plan.files.directory / "airgap-lab.json").unlink()
    end = delete_or_keep(used, RunEnd(0), keep=Keep.NEVER, green=True)
    (problem,) = end.problems
    assert problem.startswith(f"{WORKER}: not removed: ")
    assert ": not deleted: " in problem
    assert end.kept[WORKER] == "it could not be removed"
    assert "deleteVM" not in [call[0] for call in hypervisor.calls]


def test_without_a_readable_ledger_nothing_is_deleted(used: UsedLab, hypervisor: FakeHypervisor) -> None:
    used.context.ledger.path.write_text('{"version": 99}', encoding="utf-8")
    assert delete_machines(used.context, [WORKER]) == []
    assert exists(used, WORKER)
    assert hypervisor.calls == []


def test_the_digest_of_a_seed_without_a_manifest_is_in_the_report(used: UsedLab) -> None:
    machine = used.machines[WORKER]
    assert machine.iso is not None
    machine.plan.seed.parent.mkdir(parents=True, exist_ok=True)
    machine.plan.seed.write_bytes(b"seed")
    machine.iso = replace(machine.iso, input_hash=None)
    end = close_run(used, Keep.ALWAYS, 0, junit=junit(used))
    assert end.result is not None
    digests = {machine.name: machine.seed_sha256 for machine in end.result.machines}
    assert digests[WORKER].startswith("19b25856e1c150ca834cffc8b59b23ad")
