"""Judge a machine that was lost, and is back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from harness.cluster.checks import WORKER_LOST
from harness.cluster.nodes import Node
from harness.cluster.watch import API_SILENT, Look
from harness.core.check_spec import CheckSpec
from harness.core.verdict import Check, Status

_JOURNALS = "read `journalctl -b -u k3s` (master) and `journalctl -b -u k3s-agent` (worker) of that machine"
_GOOD = (Status.PASS, Status.NOT_ASKED)


def judge_lost(name: str, nodes: Sequence[Node], renewed: Mapping[str, str], at_cut: Mapping[str, str]) -> Check:
    """Return whether the API knows that this one node is gone.

    Args:
        name: The machine without power.
        nodes: As the API has them now.
        renewed: When each lease was renewed.
        at_cut: The same, at the first look after the power cut.
    """
    found = {node.name: node for node in nodes}
    reasons = [text for text in found[name].troubles if text.startswith("Ready is")] if name in found else []
    wrong = [] if reasons else [f"{name}: {'still Ready' if name in found else 'is no node'}"]
    if renewed.get(name, "") != at_cut.get(name, ""):
        wrong.append(f"{name}: its lease was renewed without power: another machine answers for it")
    wrong += [f"{node.name}: {text}" for node in nodes if node.name != name for text in node.troubles]
    return WORKER_LOST.judge(
        ok=not wrong,
        seen="; ".join(wrong) or f"{name}: {reasons[0]}, lease not renewed; the others are Ready",
        remedy="read `journalctl -u k3s` of the master for its node-lifecycle controller",
    )


def judge_back(check: CheckSpec, look: Look, before: Look, old_boots: Mapping[str, str]) -> Check:
    """Return whether every node is Ready in its present boot.

    Args:
        check: Which check it is.
        look: What machines and API say now.
        before: The first look after the boot that the API answered: later renewals belong to this boot.
        old_boots: The boots of the restarted machines before.
    """
    if look.nodes is None:
        return check.not_proven(f"{API_SILENT}: {look.problem}", remedy=_JOURNALS)
    nodes = {node.name: node for node in look.nodes}
    wrong = [text for name in look.units for text in _troubles(name, nodes.get(name), look, before, old_boots)]
    boots = [f"{name} in boot {look.units[name].boot_id}, before {old}" for name, old in old_boots.items()]
    seen = "; ".join(wrong) or f"{', '.join(boots)}; {len(nodes)} nodes Ready, every lease renewed since"
    return check.judge(ok=not wrong, seen=seen, remedy=_JOURNALS)


def _troubles(name: str, node: Node | None, look: Look, before: Look, old_boots: Mapping[str, str]) -> Iterator[str]:
    boot = look.units[name].boot_id
    if not boot:
        yield f"{name}: {look.units[name].problem or 'its boot id could not be read in the guest'}"
    elif boot == old_boots.get(name):
        yield f"{name}: still in boot {boot}: it was not restarted"
    if node is None:
        yield f"{name}: is no node"
        return
    if boot and node.boot_id != boot:
        yield f"{name}: the API knows boot {node.boot_id or 'none'}, and the guest runs {boot}"
    yield from (f"{name}: {text}" for text in node.troubles)
    renewed = look.renewed.get(name, "")
    if not renewed or renewed == before.renewed.get(name, ""):
        yield f"{name}: its lease was not renewed since the boot"


def judge_whole(check: CheckSpec, found: Collection[Check], count: int) -> Check:
    """Return one check for all checks of the cluster, asked again.

    Args:
        check: Which check it is.
        found: The answers.
        count: How many the cluster has: a missing answer proves nothing.
    """
    bad = [one for one in found if one.status not in _GOOD]
    if not bad and len(found) == count:
        return check.judge(ok=True, seen=f"{sum(one.status is Status.PASS for one in found)} checks passed again")
    texts = [f"{one.name}: {one.status.value}: {one.why}" for one in bad]
    texts += [f"{count - len(found)} checks without an answer"] if len(found) < count else []
    worst = next((one for one in bad if one.status is Status.FAIL), None)
    status = Status.FAIL if worst is not None else Status.NOT_PROVEN
    remedy = (worst or bad[0]).remedy if bad else _JOURNALS
    inconclusive = worst is not None and all(one.inconclusive for one in bad if one.status is Status.FAIL)
    return Check(check.name, status, check.expected, "; ".join(texts), remedy, inconclusive=inconclusive)
