"""Packages: the service's marker, and `dpkg`, which alone is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from harness.machine import Machine
from harness.phases.iso_copy import read_marker
from harness.verdict import Check, Phase, judge

PHASE = Phase.PACKAGES
CHECKS = ("marker", "dpkg")

_POLL_S = 2.0
# Every package that dpkg knows: a name of the lab file may be one that another package provides.
DPKG = "dpkg-query -W -f='${Package} ${db:Status-Abbrev} ${Version} ${Provides}\\n'"


def run(machine: Machine) -> Iterator[Check]:
    """Wait for the marker, then ask `dpkg` for each package."""
    spec = machine.host.plan.spec
    deadline = machine.deadline(spec.deadlines_s.packages)
    marker = machine.wait_for(
        spec.markers.packages, lambda: read_marker(machine, spec.markers.packages), deadline, interval_s=_POLL_S
    )
    yield judge_marker(str(marker), spec.guest.packages)
    yield judge_dpkg(spec.guest.packages, parse_dpkg(machine.run(DPKG).stdout))


def parse_marker(text: str) -> dict[str, str]:
    """Return the marker's fields: a JSON object, or `key=value` lines; a marker of another form has none."""
    try:
        value = json.loads(text)
    except ValueError:
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def judge_marker(text: str, packages: Sequence[str]) -> Check:
    """Return whether the marker speaks of success; one without counts is present and proves nothing by itself."""
    counts = parse_marker(text)
    installed, expected = counts.get("installed", ""), counts.get("expected", "")
    told = installed.isdigit() and expected.isdigit()
    return judge(
        CHECKS[0],
        ok=not told or (installed == expected and int(expected) >= len(packages)),
        expected=f"{len(packages)} of {len(packages)} installed",
        seen=" ".join(text.split()) or "present, empty (dpkg decides)",
        remedy="journalctl -u k8s-ops-packages on the guest says why",
    )


def parse_dpkg(text: str) -> dict[str, tuple[str, str]]:
    """Return state (`ii` is installed) and version by package, and by name that an installed package provides."""
    found: dict[str, tuple[str, str]] = {}
    provided: dict[str, tuple[str, str]] = {}
    for line in text.splitlines():
        name, state, version, provides = (*line.split(maxsplit=3), "", "", "", "")[:4]
        if state:
            found[name] = (state, version)
        if state == "ii":
            names = (re.sub(r"\(.*?\)", "", one).strip() for one in provides.split(","))
            provided |= {other: (state, f"{version} (by {name})") for other in names if other}
    return provided | {name: entry for name, entry in found.items() if entry[0] == "ii" or name not in provided}


def judge_dpkg(packages: Sequence[str], found: Mapping[str, tuple[str, str]]) -> Check:
    """Return whether dpkg says `ii` for every package."""
    shown = [
        f"{name} {found.get(name, ('missing', ''))[0]} {found.get(name, ('', ''))[1]}".strip() for name in packages
    ]
    wrong = [line for name, line in zip(packages, shown, strict=True) if found.get(name, ("", ""))[0] != "ii"]
    return judge(
        CHECKS[1],
        ok=not wrong,
        expected=f"all of {', '.join(packages)}",
        seen="not installed: " + "; ".join(wrong) if wrong else "; ".join(shown),
        remedy="journalctl -u k8s-ops-packages on the guest says why",
    )
