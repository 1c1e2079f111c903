"""ISO copy: the installer's marker and the whole payload are there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.config.model import DeadlinesSpec
from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.deadline import Deadline
from harness.core.json_text import parse_json
from harness.core.verdict import Check, Phase

if TYPE_CHECKING:
    from harness.machine.machine import Machine

PHASE = Phase.ISO_COPY
MARKER = CheckSpec(PHASE, "marker", (Claim.INSTALLED,), "the marker of an installer of this run")
PAYLOAD = CheckSpec(PHASE, "payload", (Claim.INSTALLED,), "every payload file of the ISO")
CHECKS = (MARKER, PAYLOAD)

_SHOWN = 5


def run(machine: Machine, limits: DeadlinesSpec) -> Iterator[Check]:
    """Wait for the marker, then compare every payload file with the ISO."""
    spec = machine.context.plan.spec
    deadline = machine.deadline(limits.iso_copy, "iso_copy")
    marker = machine.wait_for(
        spec.markers.iso_copy, lambda: read_marker(machine, spec.markers.iso_copy, deadline), deadline, interval_s=2.0
    )
    yield judge_marker(marker, machine.plan.nonce, ours=machine.sends_events)
    yield compare_payload(machine, limits, deadline)


def compare_payload(machine: Machine, limits: DeadlinesSpec, within: Deadline | None = None) -> Check:
    """Compare every payload file in the guest with the ISO.

    Raises:
        GuestError: The guest cannot read its payload.
    """
    payload = machine.context.plan.spec.markers.payload
    command = f"cd {shlex.quote(payload)} && find . -type f -exec sha256sum {{}} +"
    reply = machine.ssh.run(command, limits.iso_copy, within=within, as_root=True)
    if not reply.ok:
        raise machine.guest_error(f"cannot read {payload}: {reply.stderr.strip()}")
    return judge_payload(expected_payload(machine), parse_sha256sum(reply.stdout))


def read_marker(machine: Machine, path: str, within: Deadline | None = None) -> str | None:
    """Return the content of a marker file; None without the file.

    Args:
        within: The deadline of the wait that the question belongs to.
    """
    reply = machine.ssh.run(f"cat {shlex.quote(path)}", within=within, as_root=True)
    return reply.stdout if reply.ok else None


def judge_marker(text: str, nonce: str, *, ours: bool) -> Check:
    """Return whether the marker was written by an installer of this run.

    The installer of a seed that was built elsewhere names no run: its marker is on the disk that this run made blank.

    Args:
        ours: Whether the seed was built here: its installer writes the run's nonce.
    """
    found = marker_nonce(text)
    seen = text.strip() or "present, empty"
    return MARKER.judge(
        ok=found == nonce or (not ours and not found),
        expected=f"{MARKER.expected} ({nonce})" if ours or found else "a marker",
        seen=seen if found else f"{seen} (it names no run)",
        remedy="this disk was installed by another run: remove the machine with `lab down`, then run again",
    )


def marker_nonce(text: str) -> str:
    """Return the nonce of a JSON marker; empty without one."""
    try:
        value = parse_json(text)
    except ValueError:
        return ""
    return str(value.get("nonce", "")) if isinstance(value, dict) else ""


def expected_payload(machine: Machine) -> dict[str, str]:
    """Return the SHA-256 of each file below `/files/` of the ISO.

    An ISO without a manifest is read.
    """
    if machine.iso is None:
        return {}
    from harness.seed.inspect import payload_digests  # noqa: PLC0415 - saves 20 ms where tests are only collected

    listed = {file.path: file.sha256 for file in machine.iso.payload if file.sha256}
    return listed if len(listed) == len(machine.iso.payload) else dict(payload_digests(machine.plan.seed))


def parse_sha256sum(text: str) -> dict[str, str]:
    """Return digest by path from `sha256sum` lines, without the leading `./`."""
    found = {}
    for line in text.splitlines():
        digest, _, path = line.partition("  ")
        if path:
            found[path.removeprefix("./")] = digest
    return found


def judge_payload(expected: Mapping[str, str], seen: Mapping[str, str]) -> Check:
    """Return whether the guest has every file of the ISO."""
    if not expected:
        return PAYLOAD.not_proven("the ISO has no payload", remedy="build the ISO with files under /files/")
    missing = [path for path in expected if path not in seen]
    damaged = [path for path in expected if path in seen and seen[path] != expected[path]]
    wrong = [f"missing: {path}" for path in missing] + [f"damaged: {path}" for path in damaged]
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return PAYLOAD.judge(
        ok=not wrong,
        expected=f"{len(expected)} files with the digests of the ISO",
        seen="; ".join(wrong[:_SHOWN]) + more if wrong else f"{len(expected)} files with the digests of the ISO",
        remedy="the copy is not the ISO: verify the ISO file on the host, then build the machine again",
    )
