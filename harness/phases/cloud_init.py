"""cloud-init: finished, reports no errors, and its last command ran."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from harness.config.model import DeadlinesSpec, Recoverable
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.deadline import Deadline
from harness.core.verdict import Check, Phase
from harness.guest.channel import CommandResult
from harness.phases.iso_copy import read_marker

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.CLOUD_INIT
FINISHED = CheckSpec(PHASE, "finished", (Claim.CLOUD_INIT,), "no longer running")
RESULT = CheckSpec(PHASE, "result", (Claim.CLOUD_INIT,), "status done, no errors")
MARKER = CheckSpec(PHASE, "marker", (Claim.CLOUD_INIT,), "the marker that the last command writes")
CHECKS = (FINISHED, RESULT, MARKER)

_STATUS = "cloud-init status --format=json"
_LOGS = "cloud-init.log and cloud-init-output.log"


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Wait until cloud-init has ended, then judge what it reports."""
    spec = machine.context.plan.spec
    logs = f"{_LOGS} in {machine.context.run.machine(machine.name)}"
    deadline = machine.deadline(limits.cloud_init, "cloud_init")
    wait_until_finished(machine, machine.facts.boot_id, deadline)
    reply = machine.ssh.run(_STATUS, limits.cloud_init, within=deadline, as_root=True)
    status = parse_status(reply.stdout)
    state = str(status.get("status", "")) if status else f"no JSON: {_text(reply)!r}"
    yield FINISHED.judge(ok=state not in ("running", "not run", ""), seen=state)
    yield judge_result(reply, status, spec.cloud_init.recoverable_errors, logs)
    marker = read_marker(machine, spec.markers.cloud_init)
    yield MARKER.judge(
        ok=marker is not None,
        expected=spec.markers.cloud_init,
        seen="present" if marker is not None else "missing",
        remedy=f"the last runcmd did not run: read {logs}",
    )


def wait_until_finished(machine: Machine, boot_id: str, deadline: Deadline) -> None:
    """Wait for the last stage of cloud-init in that boot.

    The guest sends an event; one that sends none is asked over SSH.
    """
    next_question = machine.context.clock.monotonic() + (60.0 if machine.sends_events else 0.0)

    def answer() -> bool | None:
        nonlocal next_question
        if machine.console.last("boot-complete", boot_id=boot_id):
            return True
        now = machine.context.clock.monotonic()
        if now < next_question:
            return None
        next_question = now + 15.0
        # The file is what `cloud-init status` reads; asking for it costs no Python start in a busy guest.
        return (
            True if machine.ssh.run("test -s /run/cloud-init/result.json", within=deadline, as_root=True).ok else None
        )

    machine.wait_for("cloud-init to finish", answer, deadline)


def parse_status(text: str) -> dict[str, Any] | None:
    """Return what `cloud-init status --format=json` printed; None without JSON."""
    try:
        value = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def judge_result(
    reply: CommandResult, status: Mapping[str, Any] | None, policy: Recoverable, logs: str = _LOGS
) -> Check:
    """Judge cloud-init's own result.

    Since 23.4 exit code 2 means "done, with recoverable errors", which `cloud_init.recoverable_errors` of the lab
    file accepts or fails; they are shown in either case.
    """
    if status is None:
        return RESULT.not_proven(
            f"exit {reply.exit_status}, no JSON: {_text(reply)!r}",
            remedy=f"this cloud-init is too old to answer in JSON, or did not run: read {logs}",
        )
    errors = [str(item) for item in status.get("errors") or []]
    recoverable = status.get("recoverable_errors") or {}
    notes = [f"{level}: {text}" for level, texts in sorted(recoverable.items()) for text in texts]
    seen = f"status {status.get('status')}, exit {reply.exit_status}, {status.get('detail', '')}".rstrip(", ")
    seen += "".join(f"\nerror: {item}" for item in errors) + "".join(f"\nrecoverable: {item}" for item in notes)
    degraded = reply.exit_status == 2 or bool(notes)
    ok = status.get("status") == "done" and not errors and reply.exit_status in (0, 2)
    if degraded and policy is Recoverable.FAIL:
        ok = False
    remedy = f"read {logs}"
    if degraded:
        remedy += "; `cloud_init: {recoverable_errors: accept}` in the lab file accepts recoverable errors"
    first = f"error: {errors[0]}" if errors else f"recoverable error: {notes[0]}" if notes else ""
    return RESULT.judge(ok=ok, seen=seen, remedy=remedy, cause=first)


def _text(reply: CommandResult) -> str:
    return (reply.stdout + reply.stderr).strip()
