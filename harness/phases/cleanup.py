"""Cleanup: delete the VM of an earlier run, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.verdict import Check, Phase, Status
from harness.machine.machine_directory import foreign_directory
from harness.ownership.marker import ForeignPath, conflicting_names, is_link

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.CLEANUP
OURS = CheckSpec(PHASE, "only what is ours", (Claim.BUILT,), "in the ledger, or nothing of a machine there")
GONE = CheckSpec(PHASE, "machine is gone", (Claim.BUILT,), "not running, no VMX")
CHECKS = (OURS, GONE)


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Stop and delete the VM of an earlier run, by the ledger."""
    from harness.machine.removal import remove_machine  # noqa: PLC0415 - saves 70 ms where tests are only collected

    directory, context = machine.plan.files.directory, machine.context
    claimed = context.ledger.machine(machine.name)
    if claimed is not None:
        owner = judge_claimed(directory, foreign_directory(claimed))
    else:
        owner = judge_unclaimed(directory, _names(directory), link=is_link(directory))
    yield owner
    if owner.status is not Status.PASS:
        return
    deadline = machine.deadline(limits.power, "power")
    left = remove_machine(context.vmrun, context.ledger, claimed, deadline).left if claimed is not None else ()
    still_listed = machine.power.is_running()
    yield GONE.judge(
        ok=not still_listed and not machine.plan.files.vmx.exists(),
        seen=describe(still_listed=still_listed, vmx=machine.plan.files.vmx.exists(), left=left),
        remedy="close the machine in Workstation, then run again",
    )


def judge_claimed(directory: Path, foreign: ForeignPath | None) -> Check:
    """Return whether this lab made the directory that the ledger names."""
    return OURS.judge(
        ok=foreign is None,
        seen="in the ledger" if foreign is None else f"in the ledger, but {foreign.why}",
        remedy=_move_away(directory),
    )


def judge_unclaimed(directory: Path, content: Sequence[str], *, link: bool) -> Check:
    """Return whether a directory outside the ledger may take a VM."""
    blocking = ("a link",) if link else conflicting_names(content, directory.name)
    others = [name for name in content if name not in blocking]
    seen = f"not in the ledger, with {', '.join(blocking[:5])}" if blocking else "no machine there"
    return OURS.judge(
        ok=not blocking,
        seen=seen + (f"; kept, because not ours: {', '.join(others[:5])}" if others and not blocking else ""),
        remedy=_move_away(directory),
    )


def describe(*, still_listed: bool, vmx: bool, left: Sequence[ForeignPath]) -> str:
    """Return one line for the report."""
    seen = f"{'running' if still_listed else 'not running'}, {'a VMX' if vmx else 'no VMX'}"
    return seen + "".join(f"; not deleted: {item}" for item in left)


def _move_away(directory: Path) -> str:
    return (
        f"{directory} was not created by this lab and is not deleted: move it away, set another vm_directory, or, "
        f"to have it deleted, hand it over: lab adopt {directory.name}"
    )


def _names(directory: Path) -> tuple[str, ...]:
    return tuple(sorted(item.name for item in directory.iterdir())) if directory.is_dir() else ()
