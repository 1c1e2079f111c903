"""A run removes what it worked on, and nothing else.

However little of the lab it was asked for.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from harness.lab.selection import ledger_of, select
from harness.report.writer import newest_run

from .fake_lab import MACHINES, FakeLab
from .test_outcomes import WORKER, directories, part, run_json

pytest_plugins = ("pytester",)


def kept(lab: FakeLab) -> dict[str, str]:
    """Return why each kept machine was kept, by the newest report."""
    listed = run_json(lab)["kept"]
    assert isinstance(listed, list)
    return {item["name"]: item["reason"] for item in listed}


def kept_until(lab: FakeLab) -> str:
    return ledger_of(select(lab.lab_file, overlay="stand-in")).read().kept_until


def left(lab: FakeLab) -> set[str]:
    return {name for name in MACHINES if lab.vmx(name).exists()}


@pytest.mark.same_on_every_system
@pytest.mark.parametrize("keep", ["on-failure", "never"])
def test_a_run_that_touches_no_machine_removes_none(fake_lab: FakeLab, keep: str) -> None:
    assert fake_lab.run(*part("30_boot")).ret == 0
    until = kept_until(fake_lab)
    fake_lab.edit("keep_for: 7d", "keep_for: 30d")
    result = fake_lab.run(*part("00_environment"), f"--keep={keep}")
    assert result.ret == 0
    assert left(fake_lab) == set(MACHINES)
    assert kept(fake_lab) == dict.fromkeys(MACHINES, "this run did not touch it")
    assert kept_until(fake_lab) == until
    result.stdout.fnmatch_lines([f"kept until {until} (this run did not touch it): *"])


@pytest.mark.parametrize("keep", ["on-failure", "never"])
def test_a_run_of_one_machine_removes_that_one(fake_lab: FakeLab, keep: str) -> None:
    assert fake_lab.run(*part("30_boot")).ret == 0
    assert fake_lab.run(*part("30_boot"), "-k", WORKER, f"--keep={keep}").ret == 0
    assert left(fake_lab) == set(MACHINES) - {WORKER}


@pytest.mark.same_on_every_system
def test_never_removes_nothing_where_the_host_was_not_ready(fake_lab: FakeLab) -> None:
    assert fake_lab.run(*part("30_boot")).ret == 0
    fake_lab.facts.free_disk = 1 << 20
    assert fake_lab.run(*part("30_boot"), "--keep=never").ret == 1
    assert left(fake_lab) == set(MACHINES)


@pytest.mark.same_on_every_system
@pytest.mark.parametrize("again", [(), ("--reuse",)])
def test_a_lab_that_was_finished_before_is_not_removed_by_a_green_look_at_it(
    fake_lab: FakeLab, again: tuple[str, ...]
) -> None:
    assert fake_lab.run().ret == 0
    assert fake_lab.run(*again, "--keep=on-failure").ret == 0
    assert left(fake_lab) == set(MACHINES)
    assert set(kept(fake_lab).values()) == {"keep: on-failure, and an earlier run built it"}
    assert fake_lab.run(*again, "--keep=never").ret == 0
    assert directories(fake_lab) == []


@pytest.mark.same_on_every_system
def test_a_machine_that_reuse_refuses_is_not_removed(fake_lab: FakeLab) -> None:
    assert fake_lab.run(*part("30_boot")).ret == 0
    assert fake_lab.run("--reuse", "--keep=never").ret == 1
    assert left(fake_lab) == set(MACHINES)


def test_a_machine_that_stays_though_the_run_was_green_could_not_be_removed(fake_lab: FakeLab) -> None:
    fake_lab.vmrun.answers["deleteVM"] = ("Error: Insufficient permissions in the host operating system\n", 255)
    assert fake_lab.run(*part("30_boot"), "-k", WORKER, "--keep=on-failure").ret == 1
    assert kept(fake_lab) == {WORKER: "it could not be removed"}
    assert datetime.fromisoformat(kept_until(fake_lab))


def test_the_way_into_a_machine_that_was_not_touched_is_known(fake_lab: FakeLab) -> None:
    assert fake_lab.run(*part("30_boot")).ret == 0
    before = newest_run(fake_lab.path / "reports").ssh_config.read_text(encoding="utf-8")
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0
    after = newest_run(fake_lab.path / "reports").ssh_config.read_text(encoding="utf-8")
    ports = [line for line in before.splitlines() if "Port" in line]
    assert len(ports) == len(MACHINES)
    assert len([line for line in after.splitlines() if line in ports]) == len(MACHINES) - 1
