"""Judge whether something else has the lab's directory or its machines. Pure."""

from __future__ import annotations

from harness.config.plan import LabPlan, MachinePlan
from harness.core.verdict import Check, Status, judge
from harness.preflight import remedies
from harness.preflight.facts import HostFacts
from harness.preflight.places import comparable, inside, runs


def judge_lab(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether no other lab, and no other program, has the machines."""
    expected = f"no foreign machine is in the way in {plan.vm_directory}"
    remedy = "two labs would share names, addresses and ports; "
    remedy += "remove the other lab with `lab down` and its lab file, or set name and vm_directory of this one"
    for fact in (facts.running, facts.registered, facts.unregistered, facts.open_in):
        if fact.value is None:
            return Check(name, Status.ERROR, expected, fact.problem, fact.remedy_after(remedy))
    ours = [comparable(path, facts) for path in facts.registered.value or ()]
    root = comparable(plan.vm_directory, facts)
    running = [
        str(vmx)
        for vmx in facts.running.value or ()
        if inside(comparable(vmx, facts), root) and not any(inside(comparable(vmx, facts), mine) for mine in ours)
    ]
    directories = facts.unregistered.value or {}
    foreign = [*running, *(f"{machine}: {', '.join(names[:3])}" for machine, names in directories.items())]
    seen = ", ".join(foreign) or "none"
    if directories:
        seen += "; this lab did not make it, and does not delete it"
        remedy = remedies.not_in_ledger(plan, tuple(directories))
    held = [f"{m.name}: {', '.join(locks)}" for m in plan.machines if (locks := _locks(m, facts))]
    if held and not foreign:
        expected = "no other program has the files of a machine open"
        return judge(name, ok=False, expected=expected, seen="; ".join(held), remedy=remedies.machine_open())
    return judge(name, ok=not foreign, expected=expected, seen=seen, remedy=remedy)


def _locks(machine: MachinePlan, facts: HostFacts) -> tuple[str, ...]:
    """Return the locks of a machine that does not run.

    A Workstation window holds such locks.
    """
    return () if runs(machine, facts) else (facts.open_in.value or {}).get(machine.name, ())
