"""cloud-init: finished, reports no errors, and its last command ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from harness.config.model import DeadlinesSpec, Recoverable
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.deadline import Deadline
from harness.core.json_text import parse_json
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
_RESULT_FILE = "test -s /run/cloud-init/result.json"
# Ubuntu's installer has the first boot write the first file; systemd's generator writes the second where it is on.
_SWITCHED_OFF = "test -e /etc/cloud/cloud-init.disabled"
_ON_IN_THIS_BOOT = "test -e /run/cloud-init/enabled"
# Ubuntu's installer sets `datasource_list: [None]` there, and puts its own user-data in the same file.
_HANDED_OVER = "grep -qs '^datasource_list:.*None' /etc/cloud/cloud.cfg.d/99-installer.cfg"
_FALLBACK = "Used fallback datasource"


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
    by_installer = status is not None and fell_back(status) and _handed_over(machine, deadline)
    yield judge_result(reply, status, spec.cloud_init.recoverable_errors, logs, by_installer=by_installer)
    marker = read_marker(machine, spec.markers.cloud_init)
    yield MARKER.judge(
        ok=marker is not None,
        expected=spec.markers.cloud_init,
        seen="present" if marker is not None else "missing",
        remedy=f"the last runcmd did not run: read {logs}",
    )


def wait_until_finished(machine: Machine, boot_id: str, deadline: Deadline) -> None:
    """Wait for the last stage of cloud-init in that boot.

    The guest sends an event; one that sends none is asked over SSH. Where Ubuntu's installer switched cloud-init off
    after the first boot, the end of the boot is systemd's.
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
        ended = _asks(machine, _RESULT_FILE, deadline) or _ended_without_cloud_init(machine, deadline)
        return True if ended else None

    machine.wait_for("cloud-init to finish", answer, deadline)


def _asks(machine: Machine, command: str, within: Deadline) -> bool:
    return machine.ssh.run(command, within=within, as_root=True).ok


def _ended_without_cloud_init(machine: Machine, within: Deadline) -> bool:
    """Return whether cloud-init is off in this boot, and the boot is over.

    The first boot writes the file that switches it off while cloud-init still runs.
    """
    if not _asks(machine, _SWITCHED_OFF, within) or _asks(machine, _ON_IN_THIS_BOOT, within):
        return False
    state = machine.ssh.run("systemctl is-system-running", within=within, as_root=True).stdout.strip()
    return state not in ("initializing", "starting")


def _handed_over(machine: Machine, within: Deadline) -> bool:
    """Return whether Ubuntu's installer set cloud-init to use no data source.

    Of a seed that was built here it is a fault; 1 is grep's answer where the setting is missing.
    """
    if machine.sends_events:
        return False
    return machine.ssh.run(_HANDED_OVER, within=within, as_root=True).exit_status != 1


def fell_back(status: Mapping[str, Any]) -> bool:
    """Return whether the fallback data source is the only recoverable error."""
    notes = [text for texts in (status.get("recoverable_errors") or {}).values() for text in texts]
    return status.get("detail") == "DataSourceNone" and bool(notes) and set(notes) == {_FALLBACK}


def parse_status(text: str) -> dict[str, Any] | None:
    """Return what `cloud-init status --format=json` printed; None without JSON."""
    try:
        value = parse_json(text[text.index("{") : text.rindex("}") + 1])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def judge_result(
    reply: CommandResult,
    status: Mapping[str, Any] | None,
    policy: Recoverable,
    logs: str = _LOGS,
    *,
    by_installer: bool = False,
) -> Check:
    """Judge cloud-init's own result.

    Since 23.4 exit code 2 means "done, with recoverable errors", which `cloud_init.recoverable_errors` of the lab
    file accepts or fails; they are shown in either case.

    Args:
        reply: The answer of `cloud-init status`.
        status: Its JSON.
        policy: Of the lab file.
        logs: Where cloud-init's logs are.
        by_installer: Whether the fallback data source is what Ubuntu's installer wants; 23.4 to 24.1 warn of it.
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
    seen += "\nUbuntu's installer wants the fallback data source" if by_installer else ""
    degraded = (reply.exit_status == 2 or bool(notes)) and not by_installer
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
