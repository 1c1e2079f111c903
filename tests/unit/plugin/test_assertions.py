from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core.secret import Secret
from harness.core.verdict import Check, Phase, Status, Verdict
from harness.guest.channel import CommandTimeout
from harness.lab.lab import Lab
from harness.plugin.assertions import Proof, mask, outcome_of
from harness.plugin.requested import needs_of
from harness.results.journal import Journal, read_journal
from harness.results.model import Outcome

GOOD = Check("vmx", Status.PASS, "as planned", "as planned")
BAD = Check("vmx", Status.FAIL, "as planned", "memsize is 512", "look")
UNSEEN = Check("vmx", Status.NOT_PROVEN, "as planned", "nothing to look at")
Failed = pytest.fail.Exception
Skipped = pytest.skip.Exception


class FakeLab:
    """A lab whose verdicts are given."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.published = list(verdicts)
        self.suspects: list[str] = []
        self.machines = {"m": SimpleNamespace(console=SimpleNamespace(log=Path("/vms/m/serial-1.log")))}
        self.verdicts = self.evidence = self

    def suspect(self, machine: str) -> None:
        self.suspects.append(machine)

    def verdict(self, machine: str | None, phase: Phase, waiting: Callable[[], None]) -> Verdict:
        return next(one for one in self.published if (one.machine, one.phase) == (machine, phase))

    def ready_for(self, machine: str, phase: Phase, waiting: Callable[[], None]) -> Verdict | None:
        before = [one for one in self.published if one.machine == machine and one.phase.number < phase.number]
        return next((one for one in before if one.status.stops), None)

    def recorded(self) -> list[Verdict]:
        return self.published

    def add(self, verdict: Verdict) -> None:
        self.published.append(verdict)


@contextlib.contextmanager
def skipped(match: str = "") -> Iterator[None]:
    with outcome(Skipped, match):
        yield


@contextlib.contextmanager
def failed(match: str = "") -> Iterator[None]:
    with outcome(Failed, match):
        yield


@contextlib.contextmanager
def outcome(kind: type[BaseException], match: str) -> Iterator[None]:
    """Pass when the block ends in that outcome; fail otherwise."""
    with pytest.raises((Failed, Skipped)) as caught:
        yield
    assert caught.type is kind, caught.value
    assert match in str(caught.value)


def verdict(phase: Phase, *checks: Check, machine: str | None = "m", blocked_by: str = "") -> Verdict:
    return Verdict(phase, machine, checks, 0, 1, blocked_by=blocked_by)


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    opened = Journal(tmp_path / "events.jsonl")
    yield opened
    opened.close()


@pytest.fixture
def prove(journal: Journal) -> Callable[..., Proof]:
    return lambda *verdicts: Proof(cast(Lab, FakeLab(*verdicts)), journal, lambda: None)


def test_a_good_check_passes(prove: Callable[..., Proof]) -> None:
    prove(verdict(Phase.CREATION, GOOD)).check("m", Phase.CREATION, "vmx")


def test_a_bad_check_fails_with_all_that_is_known(prove: Callable[..., Proof]) -> None:
    proof = prove(verdict(Phase.CREATION, BAD))
    for shown in ("creation of m", "vmx: fail", "memsize is 512", "look"):
        with failed(shown):
            proof.check("m", Phase.CREATION, "vmx")


def test_what_was_not_looked_at_is_a_skip_with_its_reason(prove: Callable[..., Proof]) -> None:
    with skipped("not proven: nothing to look at"):
        prove(verdict(Phase.CREATION, UNSEEN)).check("m", Phase.CREATION, "vmx")


def test_what_does_not_apply_to_the_lab_is_a_skip_that_says_so(prove: Callable[..., Proof]) -> None:
    absent = Check("vmx", Status.NOT_ASKED, "as planned", "no k3s in the payload")
    with skipped("not asked: no k3s in the payload"):
        prove(verdict(Phase.CREATION, absent)).check("m", Phase.CREATION, "vmx")


def test_a_check_that_follows_from_another_is_a_skip(prove: Callable[..., Proof]) -> None:
    follows = Check("subnet", Status.BLOCKED, "a subnet", "network")
    proof = prove(verdict(Phase.ENVIRONMENT, BAD, follows, machine=None))
    with skipped("blocked: network"):
        proof.check(None, Phase.ENVIRONMENT, "subnet")


def test_checks_after_the_one_that_failed_are_skipped_and_name_it(prove: Callable[..., Proof]) -> None:
    proof = prove(verdict(Phase.CREATION, BAD))
    with failed():
        proof.check("m", Phase.CREATION, "vmx")
    with skipped("blocked: creation of m ended with vmx"):
        proof.check("m", Phase.CREATION, "virtual disk")


def blocked_chain() -> tuple[Verdict, ...]:
    return (
        verdict(Phase.CREATION, BAD),
        verdict(Phase.BOOT, blocked_by="creation of m"),
        verdict(Phase.CLUSTER, machine=None, blocked_by="boot of m"),
    )


def test_the_root_of_a_block_is_red_once_even_when_its_own_tests_do_not_run(prove: Callable[..., Proof]) -> None:
    proof = prove(*blocked_chain())
    with failed("memsize is 512"):
        proof.check(None, Phase.CLUSTER, "nodes ready")
    for machine, phase in ((None, Phase.CLUSTER), ("m", Phase.BOOT)):
        with skipped("blocked: creation of m ended with vmx"):
            proof.check(machine, phase, "anything")


def test_guest_tests_of_a_blocked_machine_are_skipped_and_the_phase_is_blocked(prove: Callable[..., Proof]) -> None:
    lab = FakeLab(*blocked_chain())
    proof = prove()
    proof._lab = cast(Lab, lab)
    with failed():
        proof.require("m", Phase.GUESTS)
    with skipped():
        proof.require("m", Phase.GUESTS)
    proof.finish()
    assert (lab.published[-1].phase, lab.published[-1].status) == (Phase.GUESTS, Status.BLOCKED)
    assert lab.published[-1].blocked_by == "creation of m"


def test_the_test_that_reports_the_block_is_no_check_of_the_guest(prove: Callable[..., Proof]) -> None:
    lab = FakeLab(*blocked_chain())
    proof = prove()
    proof._lab = cast(Lab, lab)
    with failed():
        proof.require("m", Phase.GUESTS)
    proof.note(report("failed", "setup", longrepr="creation of m: vmx: fail"), Phase.GUESTS, "m")
    proof.finish()
    assert (lab.published[-1].status, lab.published[-1].checks) == (Status.BLOCKED, ())
    assert lab.suspects == []


def test_guest_tests_of_a_good_machine_run(prove: Callable[..., Proof]) -> None:
    prove(verdict(Phase.CREATION, GOOD), verdict(Phase.BOOT, UNSEEN)).require("m", Phase.GUESTS)


def report(outcome: str, when: str = "call", longrepr: object = None, name: str = "test_swap[m]") -> pytest.TestReport:
    nodeid = f"scenarios/test_80_guests.py::{name}"
    return pytest.TestReport(nodeid, ("f", 1, "d"), {}, outcome, longrepr, when, duration=0.5)  # type: ignore[arg-type]  # outcomes are literals


def expected(reported: pytest.TestReport) -> pytest.TestReport:
    """Return the report of a test that is marked as expected to fail."""
    reported.wasxfail = "known"
    return reported


@pytest.mark.parametrize(
    ("reported", "status"),
    [
        (report("passed"), Status.PASS),
        (report("failed", longrepr="swap is on"), Status.FAIL),
        (report("failed", "setup", longrepr="no host"), Status.ERROR),
        (report("skipped", longrepr=("f", 1, "Skipped: not proven: no registry")), Status.NOT_PROVEN),
    ],
)
def test_the_guests_phase_is_what_its_tests_say(
    prove: Callable[..., Proof], reported: pytest.TestReport, status: Status
) -> None:
    lab = FakeLab()
    proof = prove()
    proof._lab = cast(Lab, lab)
    proof.note(report("passed", "setup"), Phase.GUESTS, "m")
    proof.note(reported, Phase.GUESTS, "m")
    proof.note(report("passed", "teardown"), Phase.GUESTS, "m")
    proof.finish()
    (made,) = lab.published
    assert (made.phase, made.machine, made.status) == (Phase.GUESTS, "m", status)
    assert [check.name for check in made.checks] == ["swap"]
    assert lab.suspects == (["m"] if status in (Status.FAIL, Status.ERROR) else [])


class Crashed:
    """What pytest keeps of an exception: the whole source, and its message."""

    def __init__(self, message: str) -> None:
        self.message = message
        self.reprcrash = SimpleNamespace(message=message)

    def __str__(self) -> str:
        return "spec = LabSpec(name='airgap-lab', ...)\n\n>   assert x\nE   " + self.message


def guest_check_after(
    prove: Callable[..., Proof], reported: pytest.TestReport, error: Exception | None = None, **recorded: str
) -> Check:
    lab = FakeLab()
    proof = prove()
    proof._lab = cast(Lab, lab)
    reported.user_properties = [("machine", "m"), *recorded.items()]
    proof.note(reported, Phase.GUESTS, "m", error)
    proof.finish()
    return lab.published[0].checks[0]


def test_a_guest_check_says_what_was_expected_and_seen(prove: Callable[..., Proof]) -> None:
    good = guest_check_after(prove, report("passed"), expected="no swap", seen="no swap")
    assert (good.expected, good.seen) == ("no swap", "no swap")
    bad = guest_check_after(
        prove, report("failed", longrepr=Crashed("assert True is False")), expected="no swap", seen="/dev/sda2"
    )
    assert (bad.expected, bad.seen, bad.why) == ("no swap", "/dev/sda2", "/dev/sda2")
    assert "`lab ssh m`" in bad.remedy
    assert '`pytest --reuse "scenarios/test_80_guests.py::test_swap[m]"`' in bad.remedy
    assert bad.evidence == (str(Path("/vms/m/serial-1.log")),)
    reported = report("failed", longrepr=Crashed("AssertionError: swap is on: TLS fails\nassert 1 == 2"))
    assert guest_check_after(prove, reported, seen="/dev/sda2").why == "swap is on: TLS fails"


def test_a_guest_check_that_records_nothing_is_its_test_and_one_line_of_its_exception(
    prove: Callable[..., Proof],
) -> None:
    good = guest_check_after(prove, report("passed"))
    assert (good.expected, good.seen) == ("`scenarios/test_80_guests.py::test_swap[m]` passes", "it passed")
    bad = guest_check_after(prove, report("failed", longrepr=Crashed("assert 'a' == 'b'\n  - b\n  + a")))
    assert (bad.seen, bad.why) == ("assert 'a' == 'b'",) * 2


def test_a_guest_command_that_does_not_end_in_time_disproves_nothing(prove: Callable[..., Proof]) -> None:
    error = CommandTimeout("sleep 9", where="m", timeout_s=3)
    made = guest_check_after(prove, report("failed", longrepr=Crashed(f"CommandTimeout: {error}")), error)
    assert (made.name, made.status, made.inconclusive) == ("swap", Status.FAIL, True)
    assert made.why == "`sleep 9` did not end within 3 s"
    assert "`deadlines_s.guest_command`" in made.remedy
    assert made.evidence == (str(Path("/vms/m/serial-1.log")),)


def test_a_test_with_further_parameters_is_a_check_of_its_own(prove: Callable[..., Proof]) -> None:
    lab = FakeLab()
    proof = prove()
    proof._lab = cast(Lab, lab)
    for setting in ("sshd-port", "sshd-keys"):
        proof.note(report("passed", name=f"test_settings[m-{setting}]"), Phase.GUESTS, "m")
    proof.finish()
    names = [check.name for check in lab.published[0].checks]
    assert names == ["settings sshd-port", "settings sshd-keys"]


@pytest.mark.parametrize(
    ("reported", "outcome"),
    [
        (report("passed"), Outcome.PASSED),
        (report("failed"), Outcome.FAILED),
        (report("failed", "setup"), Outcome.ERROR),
        (report("failed", "teardown"), Outcome.ERROR),
        (report("skipped", "setup"), Outcome.SKIPPED),
        (expected(report("skipped")), Outcome.XFAILED),
        (expected(report("passed")), Outcome.XPASSED),
    ],
)
def test_the_outcome_is_the_one_that_pytest_prints(reported: pytest.TestReport, outcome: Outcome) -> None:
    assert outcome_of(reported) is outcome


def test_a_secret_in_a_skips_reason_is_masked_and_the_report_stays_one_that_pytest_reads() -> None:
    Secret("hunter22")
    reported = report("skipped", longrepr=("/home/hunter22/test.py", 3, "Skipped: hunter22 is no host"))
    mask(reported)
    assert reported.longrepr == ("/home/hunter22/test.py", 3, "Skipped: *** is no host")
    failing = report("failed", longrepr="hunter22 is no host")
    mask(failing)
    assert failing.longreprtext == "*** is no host"


def test_what_a_guest_wrote_does_not_act_on_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07\x1b[32mPASS\x9b1A\u202e"
    shown = "PASS\ufffd1A\ufffd"
    skipped_one = report("skipped", longrepr=("test.py", 3, hostile))
    failing = report("failed", longrepr=hostile)
    failing.sections = [("Captured stdout call", hostile)]
    for reported in (skipped_one, failing):
        mask(reported)
    assert skipped_one.longrepr == ("test.py", 3, shown)
    assert failing.longreprtext == shown
    assert failing.sections == [("Captured stdout call", shown)]


def test_each_test_is_one_event_and_passes_are_counted(prove: Callable[..., Proof], journal: Journal) -> None:
    proof = prove()
    for when in ("setup", "call", "teardown"):
        proof.note(report("passed", when), Phase.BOOT, "m")
    proof.note(report("failed", "teardown", longrepr="close"), Phase.BOOT, "m")
    events = list(read_journal(journal.path))
    assert [event["outcome"] for event in events] == ["passed", "error"]
    assert events[1]["reason"] == "close"
    assert proof.passed == 1


class FakeItem:
    """A test with its phase and machine."""

    def __init__(self, phase: str | None, machine: str | None = None) -> None:
        self._phase = phase
        self.callspec = type("C", (), {"params": {"machine_name": machine} if machine else {}})

    def get_closest_marker(self, name: str) -> object:
        return pytest.mark.phase(self._phase).mark if self._phase else None


@pytest.mark.parametrize(
    ("items", "needs", "cluster"),
    [
        ([], {}, False),
        ([FakeItem("environment")], {}, False),
        ([FakeItem(None, "a")], {}, False),
        ([FakeItem("packages", "a"), FakeItem("boot", "a")], {"a": Phase.PACKAGES}, False),
        ([FakeItem("boot", "a"), FakeItem("guests", "b")], {"a": Phase.BOOT, "b": Phase.GUESTS}, False),
        ([FakeItem("cluster"), FakeItem("boot", "a")], {"a": Phase.CLUSTER, "b": Phase.CLUSTER}, True),
    ],
)
def test_machines_are_taken_as_far_as_a_test_asks(
    items: list[FakeItem], needs: dict[str, Phase], cluster: bool
) -> None:
    assert needs_of(cast(list[pytest.Item], items), ["a", "b"]) == (needs, cluster)
