"""Claims that rest on guest tests, collected or not."""

from __future__ import annotations

import json

import pytest

from harness.report.writer import write_reports

from .fake_lab import FakeLab

pytest_plugins = ("pytester",)

OWN = """\
import pytest

pytestmark = pytest.mark.phase("guests")


@pytest.mark.claim("{claim}")
def test_own(host, machine_name):
    assert host.check_output("hostname") == machine_name
"""
UNDECLARED = """\
import pytest

pytestmark = pytest.mark.phase("guests")


def test_own(prove, check):
    prove(check)
"""


def claims(lab: FakeLab) -> dict[str, tuple[str, bool]]:
    """Return standing and whether it was asked, by claim."""
    listed = json.loads((lab.latest / "run.json").read_text(encoding="utf-8"))["claims"]
    return {item["claim"]: (item["standing"], item["asked"]) for item in listed}


def write_module(lab: FakeLab, text: str) -> None:
    (lab.scenarios / "test_85_own.py").write_text(text, encoding="utf-8")


def test_a_claim_is_not_asked_where_a_test_that_it_rests_on_was_left_out(fake_lab: FakeLab) -> None:
    write_module(fake_lab, OWN.format(claim="iso-detached"))
    assert fake_lab.run("scenarios/test_75_restarts.py").ret == 0
    found = claims(fake_lab)
    assert found["iso-detached"] == ("not-proven", False)
    assert found["survived-restart"] == ("proven", True)


def test_the_result_of_a_broken_off_run_knows_what_its_claims_rest_on(fake_lab: FakeLab) -> None:
    write_module(fake_lab, OWN.format(claim="cloud-init-clean"))
    assert fake_lab.run("scenarios/test_85_own.py", "scenarios/test_80_guests.py").ret == 0
    before, events = claims(fake_lab), fake_lab.latest / "events.jsonl"
    assert before["cloud-init-clean"] == before["settings-as-promised"] == ("proven", True)
    lines = events.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = next(number for number, line in enumerate(lines) if '"guests"' in line and "phase-end" in line)
    events.write_text("".join(lines[:cut]), encoding="utf-8")
    write_reports(fake_lab.latest)  # as `lab report` does
    after = claims(fake_lab)
    assert after["cloud-init-clean"] == after["settings-as-promised"] == ("not-proven", True)
    assert after["survived-restart"] == ("proven", True)


@pytest.mark.parametrize(
    ("text", "message", "exit_code"),
    [
        (OWN.format(claim="air-gaped"), "there is no claim 'air-gaped'", pytest.ExitCode.USAGE_ERROR),
        (
            UNDECLARED,
            "the fixture `check` needs the mark of a phase that declares checks",
            pytest.ExitCode.INTERRUPTED,  # an error of the collection
        ),
    ],
)
def test_a_test_that_is_marked_wrongly_starts_nothing(
    fake_lab: FakeLab, text: str, message: str, exit_code: pytest.ExitCode
) -> None:
    write_module(fake_lab, text)
    result = fake_lab.run("scenarios/test_85_own.py")
    assert result.ret == exit_code
    assert message in result.stderr.str() + result.stdout.str()
    assert "start" not in fake_lab.vmrun.verbs()
    assert not fake_lab.vms.exists()
