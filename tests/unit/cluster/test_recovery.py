"""A machine that is lost and back, as the API tells it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.cluster import checks
from harness.cluster.nodes import Node
from harness.cluster.recovery import judge_back, judge_lost, judge_whole
from harness.cluster.units import MachineUnits
from harness.cluster.watch import Look
from harness.core.verdict import Check, Status

GONE = "Ready is Unknown: NodeStatusUnknown: Kubelet stopped posting node status."


def node(name: str, boot: str = "", *troubles: str) -> Node:
    return Node(name, "uuid", boot or f"boot of {name}", ("192.168.6.10",), "v1", troubles)


# -- lost ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "renewed", "seen"),
    [
        ((node("m"), node("w")), "10", "w: still Ready"),
        ((node("m"),), "10", "w: is no node"),
        ((node("m"), node("w", "", GONE)), "20", "lease was renewed without power"),
        ((node("m", "", "Ready is False: x: y"), node("w", "", GONE)), "10", "m: Ready is False"),
        ((node("m"), node("w", "", "cordoned")), "10", "w: still Ready"),
    ],
)
def test_a_loss_that_the_api_does_not_know_fails(nodes: tuple[Node, ...], renewed: str, seen: str) -> None:
    found = judge_lost("w", nodes, {"m": "15", "w": renewed}, {"m": "5", "w": "10"})
    assert found.status is Status.FAIL
    assert seen in found.seen


def test_a_lost_node_is_not_ready_and_the_others_are() -> None:
    found = judge_lost("w", (node("m"), node("w", "", GONE)), {"m": "15", "w": "10"}, {"m": "5", "w": "10"})
    assert found.status is Status.PASS
    assert GONE in found.seen


# -- back ------------------------------------------------------------------------------------------------------------

BEFORE = Look(0, {}, (), {"m": "1", "w": "1"})
NOW = Look(
    9, {"m": MachineUnits("boot of m"), "w": MachineUnits("boot of w")}, (node("m"), node("w")), {"m": "2", "w": "2"}
)


def test_a_machine_is_back_in_a_new_boot() -> None:
    found = judge_back(checks.WORKER_BACK, NOW, BEFORE, {"w": "old"})
    assert found.status is Status.PASS
    assert "w in boot boot of w, before old" in found.seen


@pytest.mark.parametrize(
    ("look", "old", "seen"),
    [
        (NOW, "boot of w", "w: still in boot boot of w"),
        (
            replace(NOW, nodes=(node("m"), node("w", "old"))),
            "old",
            "the API knows boot old, and the guest runs",
        ),
        (replace(NOW, nodes=(node("m"),)), "old", "w: is no node"),
        (replace(NOW, nodes=(node("m"), node("w", "", GONE))), "old", GONE),
        (replace(NOW, renewed={"m": "2", "w": "1"}), "old", "w: its lease was not renewed since the boot"),
        (replace(NOW, renewed={"m": "2"}), "old", "w: its lease was not renewed since the boot"),
        (replace(NOW, units={**NOW.units, "w": MachineUnits(problem="no login")}), "old", "w: no login"),
        (replace(NOW, units={**NOW.units, "w": MachineUnits()}), "old", "boot id could not be read"),
    ],
)
def test_what_is_not_seen_of_this_boot_fails(look: Look, old: str, seen: str) -> None:
    found = judge_back(checks.WORKER_BACK, look, BEFORE, {"w": old})
    assert found.status is Status.FAIL
    assert seen in found.seen


def test_a_silent_api_proves_nothing() -> None:
    found = judge_back(checks.MASTER_BACK, replace(NOW, nodes=None, problem="refused"), BEFORE, {})
    assert found.status is Status.NOT_PROVEN
    assert "refused" in found.seen


# -- whole -----------------------------------------------------------------------------------------------------------


def test_the_cluster_is_whole_when_every_check_answered_well() -> None:
    good = [check.judge(ok=True, seen="x") for check in checks.CHECKS[1:]]
    rest = checks.UNITS.not_asked("no")
    assert judge_whole(checks.WHOLE_WITH_WORKER, [rest, *good], 15).status is Status.PASS
    short = judge_whole(checks.WHOLE_WITH_WORKER, good, 15)
    assert (short.status, short.seen) == (Status.NOT_PROVEN, "1 checks without an answer")


def test_the_worst_check_decides() -> None:
    unseen = checks.UNITS.not_proven("no answer", remedy="look")
    failed = checks.READY.judge(ok=False, seen="w: NotReady", remedy="read the journal")
    found = judge_whole(checks.WHOLE_WITH_WORKER, [unseen, failed], 2)
    assert (found.status, found.remedy, found.inconclusive) == (Status.FAIL, "read the journal", False)
    assert found.seen == "k3s runs: not-proven: no answer; nodes ready: fail: w: NotReady"
    found = judge_whole(checks.WHOLE_WITH_WORKER, [unseen], 1)
    assert (found.status, found.remedy) == (Status.NOT_PROVEN, "look")
    late = Check("nodes ready", Status.FAIL, "x", "not yet", inconclusive=True)
    assert judge_whole(checks.WHOLE_WITH_WORKER, [late], 1).inconclusive
    assert not judge_whole(checks.WHOLE_WITH_WORKER, [late, failed], 2).inconclusive
