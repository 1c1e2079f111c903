"""`lab seed --check`: read an ISO as the VM and its installer will."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from harness.config.model import LabSpec
from harness.config.plan import LabPlan, make_plan
from harness.core.finding import Finding
from harness.seed.foreign.check import check_seed
from harness.seed.foreign.expected import expected_of
from harness.seed.inspect import inspect_iso
from harness.seed.model import IsoInfo


def check_iso(spec: LabSpec, lab_file: Path, iso: Path, say: Callable[[str], None], now: datetime) -> bool:
    """Report what is wrong with a seed ISO; return whether it can work.

    Raises:
        SeedError: It is no ISO, or is damaged.
    """
    plan = make_plan(spec, lab_file, overlay=None, run_id="check")
    machine = _machine_of(plan, iso)
    info = check_seed(iso, expected_of(plan, machine) if machine else None, now)
    say(f"{iso}: volume {info.volume_id!r}, machine {machine or 'unknown: no machine of the lab uses this ISO'}")
    for finding in info.findings:
        say(_lines(finding))
    for damage in info.damage:
        say(f"FAIL {damage}\n       remedy: build the seeds again with `lab seed`, or copy the ISO again")
    wrong = _mistakes(info)
    if info.elsewhere and not wrong:
        say(f"?    {info.elsewhere}")
    elif not wrong:
        say("ok   nothing wrong was found")
    return not wrong


def _mistakes(info: IsoInfo) -> int:
    return len(info.damage) + sum(finding.mistake for finding in info.findings)


def _lines(finding: Finding) -> str:
    return f"{'FAIL' if finding.mistake else 'note'} {finding}\n       remedy: {finding.remedy}"


def _machine_of(plan: LabPlan, iso: Path) -> str | None:
    """Return the machine of an ISO: by its place, its name, or its data."""
    place = iso.resolve()
    here = [machine.name for machine in plan.machines if machine.seed.resolve() == place]
    named = [machine.name for machine in plan.machines if machine.seed.name == iso.name]
    inside = inspect_iso(iso).machine
    return next(iter([*here, *named, *(machine.name for machine in plan.machines if machine.name == inside)]), None)
