"""Judge the seed ISO, the SSH port and the size of each machine."""

from __future__ import annotations

from harness.config.k3s_size import brings_k3s, too_small
from harness.config.model import DATA_LABEL
from harness.config.plan import LabPlan, MachinePlan
from harness.core.verdict import Check, Status, judge
from harness.preflight import remedies
from harness.preflight.facts import HostFacts, SeedIso

_SHOWN = 3


def judge_iso(name: str, machine: MachinePlan, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the ISO boots by BIOS and installs exactly this machine."""
    installs = f"installs {machine.name} at {machine.address}"
    expected = f"{machine.seed.name} is a BIOS-bootable ISO that {installs}"
    if machine.installer is not None:
        expected = f"{machine.installer.name} boots by BIOS, and {installs} with {machine.seed.name} on the second CD"
    remedy = "the machine installs itself from it; a wrong ISO duplicates the name and address of another machine\n"
    remedy += remedies.seeds_missing(plan)
    fact = facts.isos[machine.name]
    if fact.value is None:
        return Check(name, Status.FAIL, expected, fact.problem, fact.remedy_after(remedy))
    iso = fact.value
    installer = facts.installer.value if facts.installer else None
    if facts.installer is not None and installer is None:
        return Check(name, Status.FAIL, expected, facts.installer.problem, facts.installer.remedy_after(remedy))
    mistakes = [one for part in (installer, iso) if part for one in part.findings if one.mistake]
    if mistakes:
        corrections = "\n".join(dict.fromkeys(finding.correction for finding in mistakes))
        seen = "\n".join(str(finding) for finding in mistakes)
        return Check(
            name, Status.FAIL, f"{expected} by itself", seen, f"the installation would fail or wait\n{corrections}"
        )
    wrong = _iso_problems(iso, installer, machine)
    if brings_k3s(plan.spec) and not iso.has_k3s:
        wrong.append("it has no k3s, which `payload` of the lab file names")
    if wrong:
        return judge(name, ok=False, expected=expected, seen="; ".join(wrong), remedy=remedy)
    if iso.machine is None and iso.address is None:
        seen = f"bootable, volume {iso.volume_id!r}; {iso.elsewhere or 'it names no machine'}"
        return Check(name, Status.NOT_PROVEN, expected, seen, remedy)
    known = [f"machine {iso.machine}" if iso.machine else "", f"address {iso.address}" if iso.address else ""]
    seen = ", ".join(["bootable", f"volume {iso.volume_id!r}", *(item for item in known if item)])
    seen += "".join(f"\nnote: {finding}; {finding.remedy}" for finding in iso.findings)
    return judge(name, ok=True, expected=expected, seen=seen)


def _iso_problems(iso: SeedIso, installer: SeedIso | None, machine: MachinePlan) -> list[str]:
    """Return the contradictions between ISO and plan; unknown facts are none."""
    wrong = [] if (installer or iso).bios_bootable else ["a BIOS cannot boot it"]
    if installer is not None and iso.volume_id != DATA_LABEL:
        wrong.append(f"the label of the data is {iso.volume_id!r}, not {DATA_LABEL}: no installer looks there")
    if iso.machine is not None and iso.machine != machine.name:
        wrong.append(f"it installs {iso.machine}")
    if iso.address is not None and str(iso.address).partition("/")[0] != str(machine.address):
        wrong.append(f"it gives the address {iso.address}")
    if iso.role is not None and iso.role != machine.role.value:
        wrong.append(f"it installs a {iso.role}")
    return [*wrong, *iso.damage[:_SHOWN]]


def judge_k3s_size(name: str, plan: LabPlan, _facts: HostFacts) -> Check:
    """Judge whether the machines are large enough for the k3s of the payload."""
    expected = "memory and processors for k3s on every machine"
    if not brings_k3s(plan.spec):
        return Check(name, Status.NOT_ASKED, expected, "no k3s in the payload")
    wrong = too_small(plan.spec)
    remedy = "k3s would be ended by its kernel, or restart without end; "
    remedy += "set `memory_mib` and `cpus` of the machine in the lab file"
    return judge(name, ok=not wrong, expected=expected, seen="; ".join(wrong) or "they have it", remedy=remedy)


def judge_port(name: str, machine: MachinePlan, facts: HostFacts) -> Check:
    """Judge whether the host's port for SSH is free or forwarded already."""
    endpoint = machine.endpoint
    if not endpoint.forward:
        seen = f"{endpoint.host}:{endpoint.port} through the host-only network"
        return judge(name, ok=True, expected="reached directly", seen=seen)
    if endpoint.port == 0:
        seen = "a free port is chosen at start"
        return judge(name, ok=True, expected="a free port of the loopback address", seen=seen)
    expected = f"port {endpoint.port} of {endpoint.host} is free"
    remedy = "SSH of the machine needs it; stop the program that listens there, "
    remedy += "or set ssh.forward_base_port in the lab file (null: the system chooses free ports)"
    fact = facts.ports[machine.name]
    if fact.value is None:
        return Check(name, Status.ERROR, expected, fact.problem, remedy)
    forwardings = facts.forwardings.value or ()
    ours = any(rule.host_port == endpoint.port and rule.guest_address == machine.address for rule in forwardings)
    seen = "free" if fact.value else "forwarded to this machine already" if ours else "another program listens there"
    return judge(name, ok=fact.value or ours, expected=expected, seen=seen, remedy=remedy)
