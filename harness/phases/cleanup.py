"""Cleanup: what this lab left behind of a machine is gone; what is not this lab's is untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.machine import Machine
from harness.removal import remove_machine
from harness.verdict import Check, Phase, Status, judge

PHASE = Phase.CLEANUP
CHECKS = ("only what is ours", "machine is gone")


def run(machine: Machine) -> Iterator[Check]:
    """Stop, delete and remove the machine of an earlier run, by the ledger."""
    directory, host = machine.plan.files.directory, machine.host
    claim = host.ledger.claim_of(machine.name)
    owner = judge_owner(directory, claimed=claim is not None, content=_names(directory))
    yield owner
    if owner.status is not Status.PASS:
        return
    deadline = machine.deadline(host.plan.spec.deadlines_s.power)
    left = remove_machine(host.vmrun, host.ledger, claim, deadline) if claim is not None else ()
    still_listed = machine.is_running()
    yield judge(
        CHECKS[1],
        ok=not still_listed and not machine.plan.files.vmx.exists(),
        expected="not running, no VMX",
        seen=describe(still_listed=still_listed, vmx=machine.plan.files.vmx.exists(), left=left),
        remedy="close the machine in Workstation, then run again",
    )


def judge_owner(directory: Path, *, claimed: bool, content: tuple[str, ...]) -> Check:
    """Return whether the machine's directory may be used: it is in the ledger, or empty, or not there."""
    if claimed:
        return Check(CHECKS[0], Status.PASS, "in the ledger, or nothing there", "in the ledger")
    return judge(
        CHECKS[0],
        ok=not content,
        expected="in the ledger, or nothing there",
        seen=f"not in the ledger, with {', '.join(content[:5])}" if content else "nothing there",
        remedy=f"{directory} was not made by this lab and is left alone: move it away, or give another vm_directory",
    )


def describe(*, still_listed: bool, vmx: bool, left: tuple[Path, ...]) -> str:
    """Return one line for the report."""
    seen = f"{'running' if still_listed else 'not running'}, {'a VMX' if vmx else 'no VMX'}"
    return seen + (f"; kept, because not ours: {', '.join(item.name for item in left)}" if left else "")


def _names(directory: Path) -> tuple[str, ...]:
    return tuple(sorted(item.name for item in directory.iterdir())) if directory.is_dir() else ()
