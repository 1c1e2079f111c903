"""Looks over time: what is well for a moment only is not well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cluster_samples import ADDRESSES, BOOTS, NAMES, NONCES, VERSION, condition, nodes

from harness.cluster.nodes import LEASE_S, node_of
from harness.cluster.units import AGENT, SERVER, MachineUnits, Unit
from harness.cluster.watch import HOLD_S, Look, Machines, Watch
from harness.core.verdict import Status

EPOCH = 1_796_000_000.0
MACHINES = Machines(ADDRESSES, NONCES, frozenset({"k3s-master1"}))


def units(restarts: int = 0, active: str = "active") -> dict[str, MachineUnits]:
    def of(name: str) -> MachineUnits:
        kind = SERVER if name == "k3s-master1" else AGENT
        unit = Unit(kind, "loaded", active, "running" if active == "active" else "auto-restart", restarts, "success")
        return MachineUnits(BOOTS[name], {kind: unit})

    return {name: of(name) for name in NAMES}


def look(at_s: float, changed: Mapping[str, Any] | None = None, *, silent: tuple[str, ...] = (), **fields: Any) -> Look:
    """Return a good look at that time; `silent` nodes renewed their lease at the start only."""
    found = nodes()
    for name, change in (changed or {}).items():
        change(found[name])
    renewed = {name: datetime.fromtimestamp(EPOCH + (0 if name in silent else at_s), UTC).isoformat() for name in NAMES}
    known = {"nodes": tuple(node_of(item) for item in found.values()), "renewed": renewed, **fields}
    return Look(at_s, **{"units": units(), "clock": str(EPOCH + at_s), **known})


def watched(*looks: Look) -> Watch:
    watch = Watch(MACHINES)
    for one in looks:
        watch.add(one)
    return watch


def not_ready(node: dict[str, Any]) -> None:
    condition(node, "Ready").update(status="False")


GOOD = [look(at) for at in (0, 20, 40, HOLD_S + 1)]


def test_a_cluster_that_is_well_for_long_enough_passes_every_check() -> None:
    watch = watched(*GOOD)
    assert watch.held
    checks = (watch.judge_units(), watch.judge_identity(), watch.judge_ready(), watch.judge_version(VERSION))
    assert {check.status for check in checks} == {Status.PASS}


def test_a_lost_node_is_noticed_in_less_than_the_while() -> None:
    assert HOLD_S > LEASE_S


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_moment_is_not_enough(count: int) -> None:
    watch = watched(*GOOD[:count])
    assert watch.is_well
    assert not watch.held
    assert (watch.judge_ready().status, watch.judge_ready().inconclusive) == (Status.FAIL, True)
    assert "not long enough" in watch.judge_ready().seen


def test_a_node_that_is_off_stays_ready_and_is_found_by_its_lease() -> None:
    stale = [look(at, silent=("k3s-worker1",)) for at in (0, 20, 39)]
    assert not watched(*stale).held
    watch = watched(*stale, look(HOLD_S + 1, silent=("k3s-worker1",)))
    assert not watch.held
    check = watch.judge_ready()
    assert check.status is Status.FAIL
    assert "k3s-worker1: its lease was renewed 46 s ago: its kubelet is not heard" in check.seen


def test_a_node_whose_lease_is_young_and_never_renewed_does_not_pass() -> None:
    frozen = [look(at, silent=("k3s-worker1",), clock=str(EPOCH + 5)) for at in (0, 20, 50)]
    watch = watched(*frozen)
    assert not watch.held
    assert "k3s-worker1: its lease was not renewed between two looks" in watch.judge_ready().seen


def test_a_flip_begins_the_while_anew_and_is_told() -> None:
    flip = look(20, {"k3s-worker2": not_ready})
    watch = watched(GOOD[0], flip, look(40), look(HOLD_S + 1))
    assert not watch.held
    assert watched(GOOD[0], flip, look(40), look(60), look(90)).held
    assert watched(GOOD[0], look(20), look(40, {"k3s-worker2": not_ready})).judge_ready().status is Status.FAIL
    assert not watch.judge_ready().inconclusive


def test_a_crash_loop_that_is_up_at_this_moment_is_found_by_its_restarts() -> None:
    watch = watched(look(0, units=units(3)), look(20, units=units(4)), look(46, units=units(5)))
    assert not watch.held
    check = watch.judge_units()
    assert check.status is Status.FAIL
    assert "restarted 2 times between two looks" in check.seen


def test_a_unit_on_its_way_is_said() -> None:
    watch = watched(look(0, units=units(2, "activating")))
    assert "k3s.service is activating (auto-restart), restarted 2 times" in watch.state
    assert watch.judge_units().status is Status.FAIL


def test_a_silent_api_fails_once_and_disproves_nothing() -> None:
    watch = watched(GOOD[0], look(20, nodes=None, problem="connection refused"))
    identity, ready, version = watch.judge_identity(), watch.judge_ready(), watch.judge_version(VERSION)
    assert (identity.status, identity.inconclusive) == (Status.FAIL, True)
    assert "connection refused" in identity.why
    assert {ready.status, version.status} == {Status.NOT_PROVEN}
    assert watch.state == "the API did not answer: connection refused"


def test_an_api_that_was_silent_in_between_is_not_held() -> None:
    watch = watched(GOOD[0], look(20, nodes=None, problem="refused"), look(46))
    assert not watch.held
    assert (watch.judge_ready().status, watch.judge_ready().inconclusive) == (Status.FAIL, True)
    assert "26 s earlier: the API did not answer: refused" in watch.judge_ready().seen


def test_a_missing_node_and_an_unheard_machine_are_said() -> None:
    found = look(0)
    silent = {**found.units, "k3s-worker1": MachineUnits(problem="no connection")}
    gone = replace(found, units=silent, nodes=(found.nodes or ())[:2])
    watch = watched(gone)
    assert not watch.is_well
    assert "k3s-worker1: no connection" in watch.judge_units().seen
    assert watch.judge_units().inconclusive, "a machine that cannot be asked disproves nothing"
    ended = {**silent, "k3s-worker2": units(active="failed")["k3s-worker2"]}
    assert not watched(replace(found, units=ended)).judge_units().inconclusive
    assert watch.judge_identity().status is Status.FAIL
    assert "is no node" in watch.judge_ready().seen
    assert "all nodes ready for 20 s" in watched(*GOOD[:2]).state
