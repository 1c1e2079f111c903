"""Nodes: these machines in this boot, ready, and heard of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cluster_samples import ADDRESSES, BOOTS, NAMES, NONCES, VERSION, condition, lease, nodes

from harness.cluster.nodes import (
    Member,
    judge_identity,
    judge_version,
    lease_troubles,
    node_of,
    renewals,
    same_uuid,
)
from harness.core.verdict import Check, Status

MEMBERS = [Member(name, ADDRESSES[name], NONCES[name], BOOTS[name]) for name in NAMES]
Change = Callable[[dict[str, dict[str, Any]]], object]


def by_role() -> dict[str, dict[str, Any]]:
    """Return the nodes as `m`, `w` and `x`."""
    return dict(zip("mwx", (nodes()[name] for name in NAMES), strict=True))


def identity(change: Change = lambda _: None) -> Check:
    found = by_role()
    change(found)
    return judge_identity([node_of(item) for item in found.values()], MEMBERS)


def info(name: str, **fields: str) -> Change:
    return lambda found: found[name]["status"]["nodeInfo"].update(fields)


def test_the_nodes_of_a_real_cluster_are_these_machines() -> None:
    assert identity().status is Status.PASS


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda found: found.pop("x"), "k3s-worker2: missing"),
        (lambda found: found.clear(), "k3s-master1: missing; k3s-worker1: missing; k3s-worker2: missing"),
        (info("w", systemUUID="63aa7a41-2cfd-40f7-8594-b6ea2d527369"), "is another machine's"),
        (info("w", systemUUID=""), "systemUUID missing is another machine's"),
        (info("w", bootID="b70253bf-fb92-49ae-b7e2-2f25e9925401"), "is another boot than"),
        (info("w", bootID=""), "bootID missing is another boot than"),
        (
            lambda found: found["w"]["status"]["addresses"][0].update(address="10.0.2.15"),
            "InternalIP 10.0.2.15 is not 192.168.6.11",
        ),
        (
            lambda found: found["w"]["status"]["addresses"].append({"type": "InternalIP", "address": "10.0.2.15"}),
            "InternalIP 192.168.6.11, 10.0.2.15 is not 192.168.6.11",
        ),
        (lambda found: found["w"]["status"].pop("addresses"), "InternalIP missing is not"),
        (
            lambda found: found.update(old={"metadata": {"name": "k3s-worker9"}}),
            "k3s-worker9: a node that is no machine of this lab",
        ),
        (lambda found: found["w"].pop("status"), "systemUUID missing"),
    ],
)
def test_another_machine_another_boot_or_another_node_fails(change: Change, seen: str) -> None:
    check = identity(change)
    assert check.status is Status.FAIL
    assert seen in check.seen


def test_a_boot_that_the_guest_did_not_tell_is_not_taken_for_the_right_one() -> None:
    silent = [Member(one.name, one.address, one.nonce, "") for one in MEMBERS]
    found = [node_of(item) for item in nodes().values()]
    check = judge_identity(found, silent)
    assert (check.status, check.inconclusive) == (Status.FAIL, True), "what was not heard disproves nothing"
    assert not judge_identity(found[:2], silent).inconclusive
    assert "could not be read in the guest" in check.seen


@pytest.mark.parametrize(
    ("seen", "same"),
    [
        ("4c609f0a-117a-4cce-b536-dc60d28bd99c", True),
        ("4C609F0A-117A-4CCE-B536-DC60D28BD99C", True),
        ("0a9f604c-7a11-ce4c-b536-dc60d28bd99c", True),  # the first fields little-endian, as VMware's firmware has them
        ("0a9f604c-117a-4cce-b536-dc60d28bd99c", False),
        ("0a9f604c-7a11-ce4c-36b5-dc60d28bd99c", False),
        ("", False),
        ("4c609f0a", False),
    ],
)
def test_both_byte_orders_of_a_uuid_are_known(seen: str, same: bool) -> None:
    assert same_uuid(seen, NONCES["k3s-master1"]) is same


def test_a_node_of_a_real_cluster_has_no_trouble() -> None:
    assert [node_of(item).troubles for item in nodes().values()] == [(), (), ()]


def taint(key: str, effect: str = "NoSchedule") -> Change:
    return lambda found: found["w"]["spec"].update(taints=[{"key": key, "effect": effect}])


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda found: condition(found["w"], "Ready").update(status="False"), "Ready is False: KubeletReady"),
        (lambda found: condition(found["w"], "Ready").update(status="Unknown"), "Ready is Unknown"),
        (lambda found: condition(found["w"], "DiskPressure").update(status="True"), "DiskPressure is True"),
        (
            lambda found: condition(found["w"], "MemoryPressure").update(status="True"),
            "MemoryPressure is True",
        ),
        (
            lambda found: condition(found["w"], "PIDPressure").update(status="Unknown"),
            "PIDPressure is Unknown",
        ),
        (
            lambda found: condition(found["w"], "NetworkUnavailable").update(status="True"),
            "NetworkUnavailable",
        ),
        (lambda found: found["w"]["status"].update(conditions=[]), "no condition Ready"),
        (lambda found: found["w"]["spec"].update(unschedulable=True), "cordoned"),
        (taint("node.kubernetes.io/unreachable", "NoExecute"), "taint node.kubernetes.io/unreachable:NoExecute"),
        (taint("node.cloudprovider.kubernetes.io/uninitialized"), "taint node.cloudprovider"),
        (lambda found: found["w"]["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"), "deleted"),
    ],
)
def test_what_keeps_pods_from_a_node_is_a_trouble(change: Change, trouble: str) -> None:
    found = by_role()
    change(found)
    (only,) = node_of(found["w"]).troubles
    assert trouble in only


def test_the_taint_of_a_control_plane_is_none() -> None:
    found = by_role()
    found["m"]["spec"]["taints"] = [
        {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        {"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"},
    ]
    assert node_of(found["m"]).troubles == ()


@pytest.mark.parametrize(
    ("versions", "wanted", "status"),
    [
        ((VERSION, VERSION), VERSION, Status.PASS),
        ((VERSION, VERSION), "", Status.PASS),
        ((VERSION, VERSION), "v1.33.4+k3s1", Status.FAIL),
        ((VERSION, "v1.21.3+k3s1"), "", Status.FAIL),
        ((VERSION, ""), "", Status.FAIL),
        (("", ""), "", Status.FAIL),
        ((), "", Status.FAIL),
    ],
)
def test_all_nodes_run_the_version_of_the_payload(versions: tuple[str, ...], wanted: str, status: Status) -> None:
    found = [
        node_of({"metadata": {"name": str(number)}, "status": {"nodeInfo": {"kubeletVersion": version}}})
        for number, version in enumerate(versions)
    ]
    assert judge_version(found, wanted).status is status


NOW = "1796000000.5"
FRESH, OLD = "2026-11-30T00:53:18.000000Z", "2026-11-30T00:40:00.000000Z"


@pytest.mark.parametrize(
    ("renewed", "before", "trouble"),
    [
        ({"m": FRESH}, {}, ""),
        ({"m": FRESH}, {"m": OLD}, ""),
        ({"m": FRESH}, {"m": FRESH}, "m: its lease was not renewed between two looks"),
        ({"m": OLD}, {}, "m: its lease was renewed 800 s ago: its kubelet is not heard"),
        ({"m": "2026-11-30T00:52:41Z"}, {}, ""),
        ({"m": "2026-11-30T00:52:39Z"}, {}, "m: its lease was renewed 42 s ago"),
        ({}, {}, "m: no lease, so its kubelet was never heard"),
        ({"m": "soon"}, {}, "m: no lease"),
    ],
)
def test_a_node_is_heard_of_by_its_lease(renewed: dict[str, str], before: dict[str, str], trouble: str) -> None:
    found = lease_troubles(renewed, before, ["m"], NOW)
    assert len(found) == bool(trouble)
    assert trouble in "".join(found)


def test_only_leases_of_nodes_count() -> None:
    other = lease("m", OLD)
    other["metadata"]["namespace"] = "kube-system"
    assert renewals([lease("m", FRESH), other]) == {"m": FRESH}
