"""A worker loses its power and the master restarts, on a k3s that answers from memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.cluster import checks
from harness.config.model import Role
from harness.core.verdict import Check, Status
from harness.machine.context import RunContext
from harness.phases.cluster_recovery import OFF, Recovery

from .fake_k3s import FakeK3s

GOOD = [check.judge(ok=True, seen="x") for check in checks.CHECKS]


@pytest.fixture
def k3s(context: RunContext) -> FakeK3s:
    spec = context.plan.spec
    cluster = spec.cluster.model_copy(update={"recovery": True})
    spec = spec.model_copy(
        update={"cluster": cluster, "deadlines_s": spec.deadlines_s.model_copy(update={"recovery": 120})}
    )
    found = FakeK3s(replace(context, plan=replace(context.plan, spec=spec)))
    for plan in context.plan.machines:
        plan.files.vmx.parent.mkdir(parents=True, exist_ok=True)
        plan.files.vmx.write_text('.encoding = "UTF-8"\nserial0.fileName = "serial-4.log"\n', encoding="utf-8")
    return found


def judged(
    k3s: FakeK3s, before: list[Check] = GOOD, again: list[Check] = GOOD, role: Role | None = None
) -> list[Check]:
    def ask() -> Iterator[Check]:
        yield from again

    machines = [one for one in k3s.machines() if role in (None, one.plan.role)]
    found = list(Recovery(tuple(machines), lambda: None, ask).run(before))
    assert [check.name for check in found] == [check.name for check in checks.RECOVERY]
    return found


def test_a_healthy_cluster_survives_both(k3s: FakeK3s) -> None:
    found = judged(k3s)
    assert {check.status for check in found} == {Status.PASS}, [str(check) for check in found]
    assert k3s.power == ["cut k3s-worker2", "on k3s-worker2 5", "off k3s-master1", "on k3s-master1 5"]
    assert "Ready is Unknown" in found[0].seen
    assert "next boot of k3s-worker2" in found[1].seen
    assert "next boot of k3s-master1" in found[3].seen
    vmx = k3s.context.plan.machine("k3s-worker2").files.vmx.read_text(encoding="utf-8")
    assert "serial-5.log" in vmx


def test_nothing_is_touched_unless_the_lab_file_asks_for_it(k3s: FakeK3s, context: RunContext) -> None:
    k3s.context = context
    found = judged(k3s)
    assert {(check.status, check.seen) for check in found} == {(Status.NOT_ASKED, OFF)}
    assert (k3s.power, k3s.commands) == ([], [])


def test_a_cluster_with_a_failure_is_not_touched(k3s: FakeK3s) -> None:
    found = judged(k3s, [checks.READY.judge(ok=False, seen="NotReady")])
    assert {(check.status, check.seen) for check in found} == {(Status.NOT_PROVEN, "not tried: nodes ready: fail")}
    assert k3s.power == []


def test_a_lab_of_a_master_alone_restarts_it(k3s: FakeK3s) -> None:
    for name in ("k3s-worker1", "k3s-worker2"):
        del k3s.nodes[name]
    found = judged(k3s, role=Role.MASTER)
    assert [check.status for check in found] == [*[Status.NOT_ASKED] * 3, *[Status.PASS] * 2]


def test_a_loss_that_nobody_notices_fails_and_the_worker_is_switched_on_again(k3s: FakeK3s) -> None:
    lost = k3s._lose

    def stale(deed: str, name: str) -> None:
        lost(deed, name)
        k3s.nodes[name]["status"]["conditions"][-1].update(status="True")

    k3s._lose = stale  # type: ignore[method-assign]
    found = judged(k3s)
    assert found[0].status is Status.FAIL
    assert found[0].cause.startswith("not within 120 s: k3s-worker2: still Ready")
    assert "on k3s-worker2 5" in k3s.power


def test_a_worker_that_does_not_come_back_fails_with_what_was_seen_last(k3s: FakeK3s) -> None:
    k3s.reboots = False
    found = judged(k3s)
    assert found[1].status is Status.FAIL
    assert found[1].cause.startswith("not within 120 s: k3s-worker2: the API knows boot")


def test_a_cluster_that_is_not_whole_afterwards_fails(k3s: FakeK3s) -> None:
    found = judged(k3s, again=[*GOOD[1:], checks.POD_NETWORK.judge(ok=False, seen="no answer of k3s-worker2")])
    assert [found[index].status for index in (2, 4)] == [Status.FAIL, Status.FAIL]
    assert "pods reach pods: fail: no answer of k3s-worker2" in found[2].seen
