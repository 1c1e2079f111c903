"""A run that broke off is resumed.

What was proven is not done again; what changed starts anew and is reported.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import psutil
import pytest

from harness.core.layout import RECORD

from .fake_lab import MACHINES, FakeLab
from .test_kill import Crashed
from .test_outcomes import WORKER, claims, part, run_json

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9")


def carried(lab: FakeLab) -> dict[str, list[str]]:
    """Return the phases that the newest run carried over, by machine."""
    verdicts = run_json(lab)["verdicts"]
    assert isinstance(verdicts, list)
    found: dict[str, list[str]] = {name: [] for name in MACHINES}
    for verdict in verdicts:
        if verdict["carried_from"]:
            found[verdict["machine"]].append(verdict["phase"])
    return found


def killed(lab: FakeLab, point: str) -> None:
    """Leave what a run leaves that was killed at that point."""
    (lab.path / "guests").mkdir(exist_ok=True)
    Crashed(lab).run_and_kill(point, 0)
    _, running = psutil.wait_procs(lab.vmrun.clients(), 60)  # a call that it had begun is none of the next run
    assert running == []


def boots(lab: FakeLab) -> dict[str, int]:
    return {name: guest.boots for name, guest in lab.guests.items()}


def created(lab: FakeLab) -> set[str]:
    """Return the machines whose disks were created since the calls were cleared."""
    return {Path(call[-1]).stem for call in lab.vmrun.calls if call[0] == "vmware-vdiskmanager"}


@pytest.mark.parametrize(
    ("point", "reached"),
    [
        ("phase-end:creation:after", "creation"),
        ("phase-end:iso-copy:after", "iso-copy"),
        ("phase-end:packages:after", "packages"),
    ],
)
def test_a_killed_run_goes_on_where_it_was(fake_lab: FakeLab, point: str, reached: str) -> None:
    killed(fake_lab, point)
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run("--resume")
    assert fake_lab.unknown_commands() == []
    assert result.ret == 0
    phases = carried(fake_lab)
    assert reached in {names[-1] for names in phases.values() if names}, phases
    assert created(fake_lab) == {name for name, names in phases.items() if not names}
    result.stdout.fnmatch_lines(["*continues after * of run 20*"])
    result.stdout.fnmatch_lines(["*PASS, proven by run 20*"])
    assert len(fake_lab.vmrun.rules) == len(fake_lab.vmrun.running) == len(MACHINES)


def test_what_changed_starts_afresh_and_the_rest_goes_on(fake_lab: FakeLab) -> None:
    killed(fake_lab, "phase-start:cluster:after")
    seed = fake_lab.seeds / fake_lab.spec.machines[WORKER].seed
    other = fake_lab.vmx(MACHINES[2])
    other.write_text(other.read_text().replace('memsize = "512"', 'memsize = "2048"'))
    shutil.move(seed, seed.with_suffix(".old"))
    shutil.copy(seed.with_suffix(".old"), seed)
    result = fake_lab.run("--resume")
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        [
            f"*{MACHINES[2]} * starts over: {MACHINES[2]}.vmx was changed: memsize is '2048', not '512'*",
            f"*{MACHINES[0]} * continues after *",
        ]
    )
    assert carried(fake_lab)[MACHINES[2]] == []
    assert "iso-detached" in carried(fake_lab)[MACHINES[0]]


def test_a_machine_that_vanished_starts_afresh(fake_lab: FakeLab) -> None:
    killed(fake_lab, "phase-start:cluster:after")
    fake_lab.vmrun._do_stop(str(fake_lab.vmx(WORKER)), "hard")
    shutil.rmtree(fake_lab.vmx(WORKER).parent)
    result = fake_lab.run("--resume")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"*{WORKER} * starts over: it is gone: *"])


def test_another_boot_than_the_one_that_was_proven_starts_afresh(fake_lab: FakeLab) -> None:
    killed(fake_lab, "phase-end:iso-copy:after")
    for name in MACHINES:
        guest = fake_lab.vmrun.running.pop(fake_lab.vmx(name), None)
        if guest is not None:
            guest.close()
            fake_lab.vmx(name).with_name(f"{name}.vmx.lck").rmdir()
    result = fake_lab.run("--resume")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*starts over: it is off, and was not restarted from its disk yet"])


def test_without_an_earlier_run_everything_starts_afresh(fake_lab: FakeLab) -> None:
    result = fake_lab.run(*part("30_boot"), "-k", WORKER, "--resume")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"*{WORKER} * starts over: no earlier run has it"])


@pytest.mark.parametrize("again", [(), ("--reuse",)])
def test_a_finished_lab_is_proven_again_and_nothing_is_changed(fake_lab: FakeLab, again: tuple[str, ...]) -> None:
    assert fake_lab.run().ret == 0
    first, proven = fake_lab.latest.name, claims(fake_lab)
    before, count = fake_lab.tree(), boots(fake_lab)
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run(*again)
    assert result.ret == 0
    assert {name: standing for name, (standing, _) in claims(fake_lab).items()} == {
        name: standing for name, (standing, _) in proven.items()
    }
    result.stdout.fnmatch_lines([f"proven * survived a restart * proven by run {first}: all *"])
    assert boots(fake_lab) == count
    assert not {"start", "stop", "deleteVM", "reset"} & set(fake_lab.vmrun.verbs())
    after = fake_lab.tree()
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name] and not name.endswith("lab-ledger.json")] == []
    for phases in carried(fake_lab).values():
        assert phases[0] == "cleanup"
        assert phases[-1] == "restarts"
        assert not {"air-gap", "guests"} & set(phases)
    assert_says_who_proved(fake_lab, first, result.stdout.str())


def assert_says_who_proved(lab: FakeLab, first: str, terminal: str) -> None:
    """Assert that every view names the run that proved, and that the old console is no news."""
    data, page = run_json(lab), (lab.latest / "report.html").read_text(encoding="utf-8")
    by = f"proven by run {first}"
    assert "installed from this ISO in this run" not in terminal + page
    assert f'href="../{first}/report.html#checks-boot">{by}</a>' in page
    assert by in (lab.latest / "summary.md").read_text(encoding="utf-8").replace("\\", "")
    junit = (lab.latest / "junit.xml").read_text(encoding="utf-8")
    assert f'name="proven_by_run" value="{first}"' in junit
    assert f'value="pass, {by}"' in junit
    assert f"of them {by})" in terminal
    assert f"console of run {first} read: last boot-complete at 20" in terminal
    assert not any(f" {event}" in terminal for event in ("installer-start", "disk-written", "ssh-ready"))
    spans = data["spans"]
    assert isinstance(spans, list)
    assert {span["name"] for span in spans if span["machine"]} <= {"air-gap", "guests"}
    machines = data["machines"]
    assert isinstance(machines, list)
    assert {machine["last_seen"] for machine in machines} == {"logged in by SSH"}


def test_a_finished_lab_is_built_anew_where_that_is_asked_for(fake_lab: FakeLab) -> None:
    assert fake_lab.run().ret == 0
    fake_lab.vmrun.calls.clear()
    assert fake_lab.run("--fresh").ret == 0
    assert created(fake_lab) == set(MACHINES)
    assert not any(carried(fake_lab).values())


def test_of_a_finished_lab_only_what_changed_is_built_anew(fake_lab: FakeLab) -> None:
    assert fake_lab.run().ret == 0
    fake_lab.vmrun.calls.clear()
    seed = fake_lab.build_seed_anew(WORKER)
    result = fake_lab.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"*{WORKER} * starts over: changed since run *: the seed {seed.name}*"])
    assert created(fake_lab) == {WORKER}


def test_a_lab_that_is_not_finished_is_not_reused_and_not_touched(fake_lab: FakeLab) -> None:
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0
    before = fake_lab.tree()
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run("--reuse", *part("60_packages"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*reusable: error*", "*not finished: iso-copy, *"])
    assert not {"start", "stop", "deleteVM"} & set(fake_lab.vmrun.verbs())
    after = fake_lab.tree()
    assert [name for name in before if before[name] != after.get(name) and not name.endswith("lab-ledger.json")] == []
    result = fake_lab.run("--resume", *part("60_packages"), "-k", WORKER)
    assert result.ret == 0, "a run that refused it takes nothing from what is known of it"
    assert created(fake_lab) == set()


def switch_off(lab: FakeLab, name: str) -> None:
    lab.vmrun._do_stop(str(lab.vmx(name)), "hard")


def test_a_machine_that_reuse_refuses_is_not_switched_on(fake_lab: FakeLab) -> None:
    killed(fake_lab, "phase-end:iso-detached:after")
    for name in MACHINES:
        if fake_lab.vmx(name) in fake_lab.vmrun.running:
            switch_off(fake_lab, name)
    before, rules = fake_lab.tree(), dict(fake_lab.vmrun.rules)
    fake_lab.vmrun.calls.clear()
    assert fake_lab.run("--reuse").ret == 1
    assert not {"start", "setPortForwarding"} & set(fake_lab.vmrun.verbs())
    assert fake_lab.vmrun.rules == rules
    mine = [name for name in before if name.startswith("vms/k3s-")]
    assert [name for name in mine if before[name] != fake_lab.tree().get(name)] == []


def test_a_look_at_a_part_of_a_finished_lab_does_not_make_it_an_unfinished_one(fake_lab: FakeLab) -> None:
    assert fake_lab.run().ret == 0
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0
    fake_lab.vmrun.calls.clear()
    assert fake_lab.run().ret == 0
    assert created(fake_lab) == set()


def test_a_finished_machine_with_its_iso_in_the_drive_again_is_not_taken(fake_lab: FakeLab) -> None:
    assert fake_lab.run().ret == 0
    vmx = fake_lab.vmx(WORKER)
    off, on = 'sata0:1.startConnected = "FALSE"', 'sata0:1.startConnected = "TRUE"'
    assert off in vmx.read_text()
    vmx.write_text(vmx.read_text().replace(off, on))
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run()
    result.stdout.fnmatch_lines([f"*{WORKER} * starts over: its VMX has the ISO in the drive again"])
    assert created(fake_lab) == {WORKER}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("machine_id", "fedcba", "machine id fedcba, not *"),
        ("installer_runs", "2", "installer runs 2, not 1"),
        ("iso_copy", "1768299999", "installation mark *, not *"),
        ("first_boot", "config_users:99", "installation mark *, not *"),
    ],
)
def test_a_finished_machine_that_was_installed_again_is_not_taken(
    fake_lab: FakeLab, name: str, value: str, reason: str
) -> None:
    assert fake_lab.run().ret == 0
    switch_off(fake_lab, WORKER)
    fake_lab.guests[WORKER].identity[name] = value
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run(*part("30_boot"))
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"*{WORKER} * starts over: it was installed again: {reason}"])
    assert created(fake_lab) == {WORKER}


def machine_files(lab: FakeLab) -> dict[str, bytes]:
    return {name: content for name, content in lab.tree().items() if name.startswith("vms/k3s-")}


def test_a_finished_machine_whose_port_is_taken_is_an_error_and_is_left_alone(fake_lab: FakeLab) -> None:
    assert fake_lab.run().ret == 0
    switch_off(fake_lab, WORKER)
    before = machine_files(fake_lab)
    taken = "Error: The specified port is already in use\n", 255
    fake_lab.vmrun.answers["setPortForwarding"] = taken
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*as an earlier run left it: error*", "*--fresh*"])
    assert not {"start", "stop", "deleteVM"} & set(fake_lab.vmrun.verbs())
    assert machine_files(fake_lab) == before
    del fake_lab.vmrun.answers["setPortForwarding"]
    fake_lab.vmrun.calls.clear()
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0, "the run that left it alone proves nothing against it"
    assert "deleteVM" not in fake_lab.vmrun.verbs()


def test_a_finished_lab_needs_no_reports_of_earlier_runs(fake_lab: FakeLab) -> None:
    assert fake_lab.run().ret == 0
    first = fake_lab.latest.name
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run("--reports", str(fake_lab.path / "cache" / "elsewhere"))
    assert result.ret == 0
    assert not {"start", "stop", "deleteVM"} & set(fake_lab.vmrun.verbs())
    assert created(fake_lab) == set()
    result.stdout.fnmatch_lines([f"proven * survived a restart *run {first}*"])


def test_a_kept_lab_that_nothing_records_is_an_error_with_the_choice(fake_lab: FakeLab) -> None:
    assert fake_lab.run().ret == 0
    for name in MACHINES:
        fake_lab.vmx(name).with_name(RECORD).unlink()
    shutil.move(fake_lab.path / "reports", fake_lab.path / "cache")
    before = machine_files(fake_lab)
    fake_lab.vmrun.calls.clear()
    result = fake_lab.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*neither a record beside it nor a journal*", "*--fresh, or `lab down`*"])
    assert not {"start", "stop", "deleteVM"} & set(fake_lab.vmrun.verbs())
    assert machine_files(fake_lab) == before
    shutil.rmtree(fake_lab.path / "reports")
    shutil.move(fake_lab.path / "cache", fake_lab.path / "reports")
    assert fake_lab.run(*part("30_boot")).ret == 0, "a lab of an older version has journals only"
    assert created(fake_lab) == set()
