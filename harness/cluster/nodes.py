"""Nodes and their leases: these machines, in this boot, ready and heard of. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from harness.cluster.answers import Item, conditions, mapping, rows, text
from harness.cluster.checks import IDENTITY, VERSION
from harness.core.verdict import Check

# Kubernetes takes a node for lost after 40 s without a renewal; a kubelet renews every 10 s.
LEASE_S = 40.0
_OF_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@dataclass(frozen=True)
class Member:
    """A machine as the cluster should know it.

    Attributes:
        nonce: The 32 hex digits of its SMBIOS UUID in this run.
        boot_id: What its own kernel says, asked now; empty if it was not heard.
    """

    name: str
    address: str
    nonce: str
    boot_id: str


@dataclass(frozen=True)
class Node:
    """A node as the API describes it.

    Attributes:
        troubles: Why it takes no pods, or is not Ready, each with its reason.
    """

    name: str
    system_uuid: str
    boot_id: str
    addresses: tuple[str, ...]
    version: str
    troubles: tuple[str, ...]


def node_of(item: Item) -> Node:
    """Return the node of that object."""
    about = mapping(item, "status", "nodeInfo")
    addresses = rows(item, "status", "addresses")
    return Node(
        name=text(item, "metadata", "name"),
        system_uuid=text(about, "systemUUID"),
        boot_id=text(about, "bootID"),
        addresses=tuple(text(row, "address") for row in addresses if text(row, "type") == "InternalIP"),
        version=text(about, "kubeletVersion"),
        troubles=tuple(_troubles(item)),
    )


def _troubles(item: Item) -> Iterator[str]:
    known = conditions(item)
    if "Ready" not in known:
        yield "no condition Ready"
    for name, condition in known.items():
        status, wanted = text(condition, "status"), "True" if name == "Ready" else "False"
        # A condition of another program (node-problem-detector) is not ours to judge.
        if status != wanted and (name in ("Ready", "NetworkUnavailable") or name.endswith("Pressure")):
            yield f"{name} is {status or 'unknown'}: {text(condition, 'reason')}: {text(condition, 'message')}"
    if mapping(item, "spec").get("unschedulable") is True:
        yield "cordoned"
    for taint in rows(item, "spec", "taints"):
        key = text(taint, "key")
        if key not in _OF_CONTROL_PLANE and key != "node.kubernetes.io/unschedulable":
            yield f"taint {key}:{text(taint, 'effect')}"
    if text(item, "metadata", "deletionTimestamp"):
        yield "is being deleted"


def same_uuid(seen: str, nonce: str) -> bool:
    """Return whether a SMBIOS UUID is the nonce.

    The first three fields are little-endian in the table of SMBIOS 2.6 and later; hypervisors and kernels disagree on
    who swaps them.
    """
    digits = seen.replace("-", "").lower()
    if len(digits) != len(nonce):
        return False
    pairs = [digits[index : index + 2] for index in range(0, len(digits), 2)]
    swapped = "".join([*pairs[3::-1], *pairs[5:3:-1], *pairs[7:5:-1], *pairs[8:]])
    return nonce.lower() in (digits, swapped)


def judge_identity(nodes: Sequence[Node], members: Sequence[Member]) -> Check:
    """Return whether the nodes are exactly these machines, in this boot."""
    found = {node.name: node for node in nodes}
    planned = {member.name for member in members}
    wrong = [text for member in members for text in _differences(found.get(member.name), member)]
    wrong += [f"{name}: a node that is no machine of this lab" for name in found if name not in planned]
    unread = [f"{one.name}: its boot id could not be read in the guest" for one in members if not one.boot_id]
    check = IDENTITY.judge(
        ok=not wrong and not unread,
        expected=", ".join(f"{member.name} at {member.address} with UUID {member.nonce}" for member in members),
        seen="; ".join([*wrong, *unread]) or f"{len(found)} nodes, each with UUID, boot and address of its machine",
        remedy="an entry of another machine or boot is a stale one: look for the k3s of that machine with "
        "`journalctl -u k3s` (master) or `-u k3s-agent` (worker); delete a node that is gone with "
        "`k3s kubectl delete node NAME`",
    )
    return replace(check, inconclusive=bool(unread) and not wrong)


def _differences(node: Node | None, member: Member) -> Iterator[str]:
    if node is None:
        yield f"{member.name}: missing"
        return
    if not same_uuid(node.system_uuid, member.nonce):
        yield f"{member.name}: systemUUID {node.system_uuid or 'missing'} is another machine's"
    if member.boot_id and node.boot_id != member.boot_id:
        yield f"{member.name}: bootID {node.boot_id or 'missing'} is another boot than {member.boot_id}"
    if node.addresses != (member.address,):
        yield f"{member.name}: InternalIP {', '.join(node.addresses) or 'missing'} is not {member.address}"


def judge_version(nodes: Sequence[Node], version: str) -> Check:
    """Return whether all nodes run one version: the payload's where it is known."""
    seen = ", ".join(f"{node.name}: {node.version or 'unknown'}" for node in nodes)
    versions = {node.version for node in nodes}
    one = len(versions) == 1 and "" not in versions
    return VERSION.judge(
        ok=one and (not version or versions == {version}),
        expected=f"{version or 'the same version'} on every node",
        seen=seen or "no node",
        remedy="build the machines again with --fresh: the seeds carry another k3s than these machines run",
    )


def renewals(leases: Sequence[Item]) -> dict[str, str]:
    """Return when each node's lease was renewed, as the API writes it."""
    return {
        text(lease, "metadata", "name"): text(lease, "spec", "renewTime")
        for lease in leases
        if text(lease, "metadata", "namespace") == "kube-node-lease"
    }


def lease_troubles(renewed: Mapping[str, str], before: Mapping[str, str], names: Sequence[str], now: str) -> list[str]:
    """Return which nodes are not heard of.

    Args:
        renewed: Last renewals.
        before: Those of an earlier look.
        names: The nodes that have to be heard of.
        now: The time of the master's clock, as seconds since 1970.
    """
    found = []
    for name in names:
        age = _age(renewed.get(name, ""), now)
        if age is None:
            found.append(f"{name}: no lease, so its kubelet was never heard")
        elif age > LEASE_S:
            found.append(f"{name}: its lease was renewed {age:.0f} s ago: its kubelet is not heard")
        elif name in before and before[name] == renewed[name]:
            found.append(f"{name}: its lease was not renewed between two looks")
    return found


def _age(renewed: str, now: str) -> float | None:
    with contextlib.suppress(ValueError):
        return float(now) - datetime.fromisoformat(renewed.replace("Z", "+00:00")).timestamp()
    return None
