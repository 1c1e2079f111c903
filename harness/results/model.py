"""The result of a run as frozen values: the content of `run.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from harness.core.check_spec import CheckSpec
from harness.core.claims import Judgement
from harness.core.verdict import Phase, Status, Verdict, worst
from harness.results.claim_rules import judge_claims

SCHEMA_VERSION = 2

# How the reason of a skipped test begins whose check does not apply to the lab.
NOT_ASKED = "not asked: "


@dataclass(frozen=True)
class HypervisorFacts:
    """The hypervisor of the run; `why` explains the choice of its accelerator."""

    kind: str = ""
    executable: str = ""
    version: str = ""
    accelerator: str = ""
    why: str = ""


@dataclass(frozen=True)
class RunHost:
    """Where the run happened. `packages` maps distribution names to versions."""

    name: str = ""
    os: str = ""
    cpus: int = 0
    memory_mib: int = 0
    python: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    git_commit: str = ""


@dataclass(frozen=True)
class MachineFacts:
    """One machine of the lab, as planned and as met.

    Attributes:
        endpoint: `host:port` of its SSH as seen from the host.
        seed: File name of its seed ISO; `seed_sha256` is its digest, `input_hash` the hash of what it was built from.
        host_key: Fingerprint or public key line of the guest's SSH host key.
        last_seen: The last state that the run noted of it, `last_seen_s` seconds after the start.
        facts: Anything else that was learnt, as text.
    """

    name: str
    role: str = ""
    address: str = ""
    endpoint: str = ""
    memory_mib: int = 0
    cpus: int = 0
    disk_gib: int = 0
    seed: str = ""
    seed_sha256: str = ""
    input_hash: str = ""
    ssh_logins: int = 0
    boot_ids: tuple[str, ...] = ()
    host_key: str = ""
    last_seen: str = ""
    last_seen_s: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)


class SpanKind(StrEnum):
    """What a bar of the timeline stands for."""

    PHASE = "phase"
    GUEST = "guest"


@dataclass(frozen=True)
class Span:
    """A period in seconds of the run; no machine means the lab.

    Attributes:
        status: The verdict of a phase; None where nothing is judged.
        finished: False where the journal ends before it did.
        detail: More, for the tooltip.
    """

    machine: str | None
    name: str
    kind: SpanKind
    started_s: float
    ended_s: float
    status: Status | None = None
    finished: bool = True
    detail: str = ""


class Outcome(StrEnum):
    """Outcome of one pytest item."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


@dataclass(frozen=True)
class CaseResult:
    """One pytest item; `reason` is the failure or skip text.

    `carried_from` is the earlier run that made the check which it asserts.
    """

    nodeid: str
    outcome: Outcome
    reason: str = ""
    duration_s: float = 0.0
    carried_from: str = ""

    @property
    def not_asked(self) -> bool:
        """Whether it was skipped because the lab has nothing that it is about."""
        return self.outcome is Outcome.SKIPPED and self.reason.startswith(NOT_ASKED)


@dataclass(frozen=True)
class EvidenceFile:
    """An evidence file; `path` uses `/`, relative to the run if inside.

    `size` is None and `sha256` empty where the file was not there, or was not read, when the result was written.
    """

    path: str
    machine: str | None = None
    size: int | None = None
    sha256: str = ""


@dataclass(frozen=True)
class KeptMachine:
    """A kept machine: directory, reason, expiry, login and removal command.

    `until` is UTC, ISO 8601; empty where there is no end to it.
    """

    name: str
    directory: str = ""
    reason: str = ""
    enter: str = ""
    remove: str = ""
    until: str = ""


@dataclass(frozen=True)
class RunResult:
    """One run of one lab.

    Attributes:
        lab_file_sha256: Digest of the lab file as it was read.
        argv: The command line, without passwords.
        started_at: UTC, ISO 8601; `ended_at` is empty where the end was not recorded.
        required: The claims that have to be proven, by name.
        declared: The checks that the lab declares: what the claims rest on.
        asked: What the run works through, as `harness.results.claim_rules.place` names it.
        left_out: Tests of the lab that were not selected: what a partial run does not look at.
        exit_status: pytest's exit code; None where the process ended without recording it.
        limits_s: The deadline of each phase that has one, in seconds.
        unreadable_events: Journal lines that could not be understood; their content is lost.
    """

    run_id: str = ""
    lab: str = ""
    lab_file: str = ""
    lab_file_sha256: str = ""
    overlay: str = ""
    argv: tuple[str, ...] = ()
    started_at: str = ""
    ended_at: str = ""
    duration_s: float = 0.0
    declared: tuple[CheckSpec, ...] = ()
    required: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    limits_s: dict[str, float] = field(default_factory=dict)
    exit_status: int | None = None
    hypervisor: HypervisorFacts = field(default_factory=HypervisorFacts)
    host: RunHost = field(default_factory=RunHost)
    machines: tuple[MachineFacts, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    spans: tuple[Span, ...] = ()
    tests: tuple[CaseResult, ...] = ()
    evidence: tuple[EvidenceFile, ...] = ()
    kept: tuple[KeptMachine, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable_events: int = 0

    @property
    def machine_names(self) -> tuple[str, ...]:
        """Every machine that the result mentions, planned ones first."""
        names = [machine.name for machine in self.machines]
        names += [verdict.machine for verdict in self.verdicts if verdict.machine is not None]
        names += [span.machine for span in self.spans if span.machine is not None]
        return tuple(dict.fromkeys(names))

    @property
    def claims(self) -> tuple[Judgement, ...]:
        """How each claim stands."""
        planned = [machine.name for machine in self.machines]
        return judge_claims(self.declared, self.verdicts, planned, self.asked, self.required)

    @property
    def partial(self) -> bool:
        """Whether part of the lab was not requested: a PARTIAL run."""
        return bool(self.left_out) or not all(claim.asked for claim in self.claims)

    def verdict_of(self, machine: str | None, phase: Phase) -> Verdict | None:
        """Return the most severe verdict of a machine's phase, or None."""
        found = [item for item in self.verdicts if item.machine == machine and item.phase is phase]
        severe = worst(item.status for item in found)
        return next((item for item in found if item.status is severe), None)

    def unfinished(self, machine: str | None, phase: Phase) -> Span | None:
        """Return the span of a phase that never finished, or None."""
        if self.verdict_of(machine, phase) is not None:
            return None
        return next(
            (
                span
                for span in self.spans
                if span.kind is SpanKind.PHASE
                and not span.finished
                and span.machine == machine
                and span.name == phase.value
            ),
            None,
        )
