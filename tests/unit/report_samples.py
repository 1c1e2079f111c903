"""Made-up runs, as values and as the events of a journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.phases import declared_checks, guest_check
from harness.results import journal_events
from harness.results.claim_rules import place
from harness.results.model import CaseResult, HypervisorFacts, KeptMachine, MachineFacts, Outcome, RunHost, RunResult

MACHINES = ("k3s-master1", "k3s-worker1", "k3s-worker2")
LAB_PHASES = (Phase.ENVIRONMENT, Phase.CLEANUP)
Event = dict[str, Any]


def static() -> RunResult:
    """What a run knows of itself at its start."""
    return RunResult(
        run_id="2026-01-12T09-30-00",
        lab="airgap-lab",
        lab_file="/labs/scenarios/lab.yaml",
        lab_file_sha256="ab" * 32,
        overlay="small-host",
        argv=("pytest", "scenarios/", "--keep", "on-failure"),
        started_at="2026-01-12T09:30:00.000+00:00",
        hypervisor=HypervisorFacts(
            "vmrun-qemu", "/labs/.venv/bin/vmrun-qemu", "7.2.22", "tcg", "/dev/kvm does not exist"
        ),
        host=RunHost("build7", "Debian 12", 2, 15989, "3.11.2", {"pytest": "9.0.3", "paramiko": "5.0.0"}, "0a1b2c3"),
        machines=tuple(
            MachineFacts(
                name,
                role="server" if "master" in name else "agent",
                address=f"192.168.6.1{index}",
                endpoint=f"127.0.0.1:4000{index}",
                memory_mib=768,
                cpus=1,
                disk_gib=40,
                seed=f"seed-{name.removeprefix('k3s-')}.iso",
                seed_sha256=f"{index}c" * 32,
                input_hash=f"{index}d" * 32,
            )
            for index, name in enumerate(MACHINES)
        ),
        declared=(*declared_checks(MACHINES), guest_check("host name")),
        asked=tuple(place(phase, name) for phase in Phase for name in MACHINES),
    )


def passing(name: str = "marker is there", seen: str = "/var/lib/marker") -> Check:
    return Check(name, Status.PASS, "a file /var/lib/marker", seen)


def failing(status: Status = Status.FAIL, seen: str = "no such file") -> Check:
    return Check(
        "every payload file is as in the manifest",
        status,
        "41 files, each with the size and digest of the manifest",
        seen,
        "read the serial log for I/O errors, then build the seed again with `lab seed`",
        ("k3s-worker1/serial-1.log",),
    )


def verdicts(*, last: Phase = Phase.CLUSTER) -> list[Verdict]:
    """One passing verdict for each phase of each machine, up to and including `last`."""
    found: list[Verdict] = []
    for phase in Phase:
        if phase.number > last.number:
            break
        start = phase.number * 20.0
        names: tuple[str | None, ...] = (None,) if phase in LAB_PHASES else MACHINES
        found += [
            Verdict(phase, name, (passing(), passing("size", "41 files")), start, start + 12.5 + 2 * index)
            for index, name in enumerate(names)
        ]
    return found


def replaced(found: list[Verdict], machine: str | None, phase: Phase, check: Check) -> list[Verdict]:
    """Return `found` with one more check in one verdict; later phases of that machine are blocked where it stops."""
    result = []
    for item in found:
        verdict = item
        if (item.machine, item.phase) == (machine, phase):
            verdict = Verdict(phase, machine, (*item.checks, check), item.started_s, item.ended_s)
        elif item.machine == machine and item.phase.number > phase.number and check.status.stops:
            verdict = Verdict(item.phase, machine, (), 0.0, 0.0, blocked_by=f"{phase.value} of {machine}")
        result.append(verdict)
    return result


def events_of(
    found: list[Verdict],
    *,
    exit_status: int | None = 0,
    tests: tuple[CaseResult, ...] = (),
    run: RunResult | None = None,
) -> list[Event]:
    """Return the events of a run with these verdicts; without an exit status it was killed before its end."""
    events: list[Event] = [_event(0.0, journal_events.RUN_START, None, journal_events.run_start(run or static()))]
    for verdict in found:
        started, ended = journal_events.phase_start(verdict.phase), journal_events.phase_end(verdict)
        if not verdict.blocked_by:
            events.append(_event(verdict.started_s, journal_events.PHASE_START, verdict.machine, started))
        events.append(_event(verdict.ended_s, journal_events.PHASE_END, verdict.machine, ended))
    for name in MACHINES:
        events += boot_events(name, 62.0)
        facts = {"ssh_logins": 2, "boot_ids": ["b" * 36, "c" * 36], "host_key": "SHA256:abc", "machine_id": "0123"}
        events.append(_event(160.0, journal_events.MACHINE_FACTS, name, {"facts": facts}))
        events.append(_event(161.0, journal_events.EVIDENCE, name, {"path": f"{name}/serial-1.log"}))
    events += [_event(205.0, journal_events.TEST, None, journal_events.case_end(case)) for case in tests]
    events.sort(key=lambda event: float(event["t"]))
    if exit_status is not None:
        events.append(_event(210.0, journal_events.RUN_END, None, journal_events.run_end(exit_status)))
    return events


def boot_events(machine: str, start: float) -> list[Event]:
    """Return what one guest says while it boots, from `start` seconds on."""
    reported: tuple[tuple[str, dict[str, str]], ...] = (
        ("installer-start", {}),
        ("disk-written", {"bytes": "1073741824", "seconds": "9.1"}),
        ("installer-done", {}),
        ("boot", {}),
        ("cloud-init", {"stage": "init-local"}),
        ("ssh-ready", {}),
        ("boot-complete", {"cloud_init": "done", "seconds": "31"}),
    )
    return [
        _event(
            start + 8.0 * index,
            journal_events.GUEST_EVENT,
            machine,
            {"event": event, "boot_id": "a" * 36 if index < 3 else "b" * 36, "fields": fields},
        )
        for index, (event, fields) in enumerate(reported)
    ]


def kept() -> RunResult:
    """What `run-end` adds where a machine is kept."""
    return RunResult(
        kept=(
            KeptMachine(
                "k3s-worker1",
                "/labs/.lab/k3s-worker1",
                "it failed, and --keep is on-failure",
                "ssh -F reports/2026-01-12T09-30-00/ssh_config k3s-worker1",
                "lab down",
            ),
        ),
        notes=("the host was busy: load 7.5 on 2 processors",),
    )


def case(outcome: Outcome = Outcome.PASSED, name: str = "test_marker", reason: str = "") -> CaseResult:
    return CaseResult(f"scenarios/test_40_iso_copy.py::{name}[k3s-worker1]", outcome, reason, 1.25)


def write_journal(path: Path, events: list[Event]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def _event(t: float, kind: str, machine: str | None, fields: Event) -> Event:
    return {"t": t, "at": "2026-01-12T09:33:30.000+00:00", "kind": kind, "machine": machine, **fields}
