from __future__ import annotations

import pytest
from run_samples import MASTER, WORKER, create, events_of

from harness.core.verdict import Phase, Status
from harness.lab.lab import Lab


def test_a_bad_environment_blocks_the_phases_that_are_needed(lab: Lab) -> None:
    lab.start({WORKER: Phase.BOOT}, with_cluster=False)
    assert lab.verdict(None, Phase.ENVIRONMENT).status is Status.ERROR
    assert "the host cannot be examined" in str(lab.verdict(None, Phase.ENVIRONMENT))
    assert lab.verdict(WORKER, Phase.BOOT).blocked_by == "environment"
    with pytest.raises(KeyError):
        lab.verdict(WORKER, Phase.ISO_COPY)
    with pytest.raises(KeyError):
        lab.verdict(MASTER, Phase.CLEANUP)
    assert lab.use_of(WORKER) is None


def test_a_lab_starts_once(lab: Lab) -> None:
    for _ in range(2):
        lab.start({WORKER: Phase.CLEANUP}, with_cluster=False)
        lab.verdict(WORKER, Phase.CLEANUP)
    assert len(events_of(lab.context, "phase-start")) == 1


def test_the_cluster_is_blocked_by_the_first_machine_that_is_not_ready(lab: Lab) -> None:
    lab.start(dict.fromkeys(lab.machines, Phase.AIR_GAP), with_cluster=True)
    cluster = lab.verdict(None, Phase.CLUSTER)
    assert cluster.blocked_by == f"cleanup of {MASTER}"
    assert lab.verdict(None, Phase.CLUSTER) is cluster
    ended = [event for event in events_of(lab.context, "phase-end") if event["phase"] == "cluster"]
    assert len(ended) == 1
    for name in lab.machines:
        lab.verdict(name, Phase.AIR_GAP)
    assert lab.verdicts.complete


def test_a_lab_that_was_not_started_can_be_stopped(lab: Lab) -> None:
    lab.stop()
    lab.stop()
    assert lab.verdicts.recorded() == []


def test_stopping_before_the_cluster_was_asked_for_ends_all_waits(lab: Lab) -> None:
    lab.start({WORKER: Phase.CLEANUP}, with_cluster=True)
    lab.verdict(WORKER, Phase.CLEANUP)
    lab.stop()
    lab.context.clock.sleep(0.001)  # sleeps again, for the work that closes the run


def test_machines_exist_by_the_ledger(lab: Lab) -> None:
    assert lab.existing_machines() == []
    create(lab.context, lab.context.plan.machine(WORKER))
    assert [machine.name for machine in lab.existing_machines()] == [WORKER]
    lab.context.ledger.path.write_text('{"version": 99}', encoding="utf-8")
    assert lab.existing_machines() == []
