"""Outcomes of `pytest scenarios/`: exit codes, results, leftovers."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from harness.cli.down import remove_lab
from harness.cluster.checks import ALL as CLUSTER_CHECKS
from harness.guest.nonce import NONCE_COMMAND
from harness.lab.selection import driver, lock, select

from .fake_lab import MACHINES, OPTIONS, FakeLab

pytest_plugins = ("pytester",)

WORKER = "k3s-worker1"


def run_json(lab: FakeLab) -> dict[str, object]:
    data = json.loads((lab.latest / "run.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def part(*names: str) -> list[str]:
    return [f"scenarios/test_{name}.py" for name in names]


def directories(lab: FakeLab) -> list[str]:
    return sorted(path.name for path in lab.vms.iterdir()) if lab.vms.is_dir() else []


def test_a_good_lab_is_green_and_leaves_results_and_a_way_in(fake_lab: FakeLab) -> None:
    result = fake_lab.run()
    assert fake_lab.unknown_commands() == []
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed", "skipped"}
    no_k3s = len(CLUSTER_CHECKS) + 1  # and the environment's check of the sizes for it
    assert outcomes["skipped"] == no_k3s + 3 * len(MACHINES), "no image, record or services on VMware"
    result.stdout.fnmatch_lines(
        ["checks: * passed, 0 failed, 0 errors, 9 not proven; 0 phases blocked; 21 not asked", "report: *", "log in: *"]
    )
    result.stdout.fnmatch_lines(
        [
            "proven      built as planned                     required      *",
            "proven      settings as promised                 required      *",
            "not asked   cluster healthy                      not required  not asked: no k3s in the payload",
        ]
    )
    assert "PARTIAL" not in result.stdout.str()
    run = fake_lab.latest
    names = {path.name for path in run.iterdir()}
    assert {"run.json", "report.html", "junit.xml", "events.jsonl", "ssh_config", "known_hosts", *MACHINES} <= names
    for name in MACHINES:
        evidence = {path.name for path in (run / name).iterdir()}
        serials = {f"serial-{number}.log" for number in range(1, 5)}
        assert {f"{name}.vmx", "vmware.log", "cloud-init.log"} | serials <= evidence
        assert f"Host {name}" in (run / "ssh_config").read_text()
        assert fake_lab.vmx(name) in fake_lab.vmrun.running
    assert '<property name="phase" value="iso-detached"' in (run / "junit.xml").read_text()
    assert run_json(fake_lab)["exit_status"] == 0
    agreeing = {"Tools state": "running", "Tools address": "192.168.6.10", "Tools and SSH": "agree"}
    installation = {"machine id": fake_lab.guests["k3s-master1"].installed, "installer runs": "1"}
    found = dict(_facts(fake_lab)["k3s-master1"])
    assert found.pop("installation mark")
    assert found == {**agreeing, **installation}
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("machine")] == []
    facts = [event for event in _events(run) if event["kind"] == "machine-facts"]
    logins = [event for event in facts if "ssh_logins" in str(event)]
    assert len(logins) == 2 * len(MACHINES), "one login to the first boot of each machine and one to the last"
    assert sum("boot_ids" in str(event) for event in facts) == 4 * len(MACHINES)


@pytest.mark.same_on_every_system
def test_what_tools_say_is_shown_beside_what_ssh_shows_and_decides_nothing(fake_lab: FakeLab) -> None:
    fake_lab.vmrun.answers["checkToolsState"] = ("installed\n", 0)
    fake_lab.vmrun.answers["getGuestIPAddress"] = ("unknown\n", 0)
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0
    known = {name: facts for name, facts in _facts(fake_lab).items() if facts}
    assert known == {
        WORKER: {
            "Tools state": "installed",
            "Tools address": "none",
            "Tools and SSH": "differ: SSH answers, Tools do not",
        }
    }
    assert "differ: SSH answers, Tools do not" in (fake_lab.latest / "report.html").read_text(encoding="utf-8")


def _facts(lab: FakeLab) -> dict[str, dict[str, str]]:
    machines = run_json(lab)["machines"]
    assert isinstance(machines, list)
    return {item["name"]: item["facts"] for item in machines}


def _events(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_second_run_removes_the_first_ones_machines_and_nothing_else(fake_lab: FakeLab) -> None:
    assert fake_lab.run(*part("30_boot")).ret == 0
    decoy = fake_lab.vms / WORKER / "thesis.docx"
    foreign = fake_lab.vms / "other" / "other.vmx"
    foreign.parent.mkdir()
    neighbour = 'displayName = "not of this lab"\n'
    for path in (decoy, foreign):
        path.write_text(neighbour, encoding="utf-8")
    first = fake_lab.latest
    result = fake_lab.run(*part("10_cleanup", "30_boot"))
    assert result.ret == 0
    assert fake_lab.latest.name >= first.name
    assert fake_lab.vmrun.verbs().count("deleteVM") == len(MACHINES)
    assert len(fake_lab.vmrun.running) == len(fake_lab.vmrun.rules) == len(MACHINES)
    assert decoy.read_text() == foreign.read_text() == neighbour
    selection = select(fake_lab.lab_file, overlay="stand-in")
    with lock(selection):
        remove_lab(selection, driver(selection), lambda _: None)
    left = [path.relative_to(fake_lab.vms).as_posix() for path in sorted(fake_lab.vms.rglob("*")) if path.is_file()]
    assert left == ["k3s-worker1/thesis.docx", "other/other.vmx"]
    assert fake_lab.vmrun.running == {}
    assert fake_lab.vmrun.rules == {}


def test_a_directory_that_is_not_in_the_ledger_is_left_alone(fake_lab: FakeLab) -> None:
    own = fake_lab.vmx(WORKER)
    own.parent.mkdir(parents=True)
    own.write_text("another user's machine of that name")
    result = fake_lab.run(*part("10_cleanup", "20_creation"))
    assert result.ret == 1
    assert result.parseoutcomes() == {"failed": 1, "skipped": 11}, "seen before anything is deleted or created"
    result.stdout.fnmatch_lines([f"*no other lab here: fail: {WORKER}: {WORKER}.vmx*", f"*lab adopt {WORKER}*"])
    assert directories(fake_lab) == [WORKER]
    assert own.read_text() == "another user's machine of that name"


@pytest.mark.same_on_every_system
def test_a_failing_check_is_red_once_and_blocks_its_machine_alone(fake_lab: FakeLab) -> None:
    damaged = next(command for command in fake_lab.answers(WORKER) if "sha256sum" in command)
    fake_lab.guests[WORKER].says[damaged] = (0, "0000  ./build-timestamp\n")
    result = fake_lab.run(*part("40_iso_copy", "60_packages"))
    assert result.ret == 1
    outcomes = result.parseoutcomes()
    assert outcomes == {"passed": 11, "failed": 1, "skipped": 3}
    result.stdout.fnmatch_lines(
        [
            f"FAILED scenarios/test_40_iso_copy.py::test_iso_copy[[]payload-{WORKER}[]]*",
        ]
    )
    result.stdout.fnmatch_lines([f"*blocked: iso-copy of {WORKER} ended with payload"])
    result.stdout.fnmatch_lines(["*: payload: fail: missing: *", "*seen: *missing: *"])


@pytest.mark.same_on_every_system
def test_a_module_alone_drives_the_phases_before_it_and_reports_why_they_failed(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].says["# cloud-init status --format=json"] = (1, '{"status": "error", "errors": ["boom"]}')
    result = fake_lab.run(*part("60_packages"))
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 6, "failed": 1, "skipped": 2}
    result.stdout.fnmatch_lines([f"cloud-init of {WORKER}: result: fail: error: boom"])


def test_one_machine_alone_is_the_only_one_that_is_touched(fake_lab: FakeLab) -> None:
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert result.ret == 0
    assert directories(fake_lab) == [WORKER, "lab-ledger.json", "lab-made.json"]
    assert list(fake_lab.vmrun.running) == [fake_lab.vmx(WORKER)]


def claims(lab: FakeLab) -> dict[str, tuple[str, bool]]:
    """Return standing and whether it was asked, by claim."""
    listed = run_json(lab)["claims"]
    assert isinstance(listed, list)
    return {item["claim"]: (item["standing"], item["asked"]) for item in listed}


@pytest.mark.same_on_every_system
def test_a_part_of_the_lab_proves_what_it_was_asked_and_says_what_it_was_not(fake_lab: FakeLab) -> None:
    result = fake_lab.run(*part("60_packages"))
    assert result.ret == 0
    assert claims(fake_lab)["packages-offline"] == ("proven", True)
    assert claims(fake_lab)["iso-detached"] == ("not-proven", False)
    result.stdout.fnmatch_lines(["PARTIAL RUN: 6 of 9 claims were not asked*", "left out: test_00_environment.py"])
    assert str(run_json(fake_lab)["headline"]).startswith(f"PARTIAL, all good: {', '.join(MACHINES)}, 7 phases, ")


@pytest.mark.same_on_every_system
@pytest.mark.parametrize(
    "words",
    [("scenarios", "-k", WORKER), ("scenarios", "--deselect", f"scenarios/test_80_guests.py::test_swap[{WORKER}]")],
)
def test_a_run_that_leaves_out_one_machine_or_one_test_is_partial(fake_lab: FakeLab, words: tuple[str, ...]) -> None:
    assert fake_lab.run(*words).ret == 0
    assert claims(fake_lab)["settings-as-promised"] == ("not-proven", False)
    assert run_json(fake_lab)["overall"] == "partial"


@pytest.mark.same_on_every_system
def test_tests_that_are_named_one_by_one_leave_the_others_out(fake_lab: FakeLab) -> None:
    named = [f"scenarios/test_30_boot.py::test_boot[guest answers-{name}]" for name in MACHINES]
    assert fake_lab.run(*named).ret == 0
    left_out = run_json(fake_lab)["left_out"]
    assert isinstance(left_out, list)
    assert "test_30_boot.py: all but the named tests" in left_out
    assert run_json(fake_lab)["overall"] == "partial"


@pytest.mark.same_on_every_system
def test_a_required_claim_that_is_not_proven_is_not_green(fake_lab: FakeLab) -> None:
    fake_lab.edit("  required: null ", "  required: [cluster-healthy] ")
    result = fake_lab.run()
    assert "failed" not in result.parseoutcomes()
    assert result.ret == 1
    assert run_json(fake_lab)["overall"] == "not-proven"
    assert run_json(fake_lab)["headline"] == "NOT PROVEN: cluster healthy (not asked: no k3s in the payload)"


@pytest.mark.same_on_every_system
def test_a_failed_check_disproves_its_claim_and_leaves_later_ones_unproven(fake_lab: FakeLab) -> None:
    dpkg = next(command for command in fake_lab.answers(WORKER) if command.startswith("# dpkg-query -W"))
    fake_lab.guests[WORKER].says[dpkg] = (0, "jq un \n")
    assert fake_lab.run().ret == 1
    assert claims(fake_lab)["packages-offline"] == ("disproven", True)
    assert claims(fake_lab)["cloud-init-clean"] == ("proven", True)
    assert claims(fake_lab)["survived-restart"] == ("not-proven", True)


@pytest.mark.same_on_every_system
def test_nothing_but_skips_is_not_green(fake_lab: FakeLab) -> None:
    result = fake_lab.run(*part("90_cluster"))
    assert result.parseoutcomes() == {"skipped": len(CLUSTER_CHECKS)}
    assert result.ret == 1


@pytest.mark.same_on_every_system
def test_a_recoverable_error_is_shown_and_judged_by_the_lab_file(fake_lab: FakeLab) -> None:
    degraded = '{"status": "done", "errors": [], "recoverable_errors": {"WARNING": ["old key"]}}'
    fake_lab.guests[WORKER].says["# cloud-init status --format=json"] = (2, degraded)
    words = (*part("50_cloud_init"), "-k", WORKER)
    result = fake_lab.run(*words)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*recoverable: WARNING: old key*"])
    fake_lab.edit("recoverable_errors: fail", "recoverable_errors: accept")
    assert fake_lab.run(*words).ret == 0


@pytest.mark.same_on_every_system
def test_a_guest_that_never_answers_is_a_failure_with_the_last_thing_seen(fake_lab: FakeLab) -> None:
    fake_lab.edit("boot: 20, iso_copy", "boot: 3, iso_copy")
    fake_lab.guests[WORKER].silent |= {"ssh-ready", "boot-complete"}
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1, skipped=1, deselected=8)
    result.stdout.fnmatch_lines(["boot of *: ssh login: fail: an SSH login: not within 3 s; last seen: identity*"])


@pytest.mark.same_on_every_system
def test_a_machine_of_another_run_at_the_same_address_does_not_pass(fake_lab: FakeLab) -> None:
    other = "56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01"
    fake_lab.guests[WORKER].says[f"# {NONCE_COMMAND}"] = (0, f"{uuid.uuid4()}\nVMware-{other}\n")
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*another machine answers at 127.0.0.1:*: it is not the one that this run created*"])


@pytest.mark.same_on_every_system
def test_a_guest_that_does_not_say_which_machine_it_is_does_not_pass(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].says[f"# {NONCE_COMMAND}"] = (1, f"{uuid.uuid4()}\n")
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 1


@pytest.mark.same_on_every_system
@pytest.mark.parametrize("stale", [False, True])
def test_a_foreign_seed_is_bound_to_this_run_as_well(fake_lab: FakeLab, *, stale: bool) -> None:
    seed = fake_lab.seeds / fake_lab.spec.machines[WORKER].seed
    seed.write_bytes(seed.read_bytes().replace(b'"format": "airgap-lab-seed/', b'"format": "other-labs-seed/'))
    if stale:
        other = "56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01"
        fake_lab.guests[WORKER].says[f"# {NONCE_COMMAND}"] = (0, f"{uuid.uuid4()}\nVMware-{other}\n")
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert (result.ret == 1) is stale
    verdicts = run_json(fake_lab)["verdicts"]
    assert isinstance(verdicts, list)
    (boot,) = [item for item in verdicts if item["phase"] == "boot"]
    assert stale or boot["checks"][1]["expected"] == "an answer by SSH (this seed sends no events)"


@pytest.mark.same_on_every_system
def test_a_boot_that_never_spoke_on_the_serial_line_does_not_pass(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].stale_boot = str(uuid.uuid4())
    fake_lab.edit("boot: 20, iso_copy", "boot: 4, iso_copy")
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["boot of *: ssh login: fail: *; last seen: a boot that sent no event"])


@pytest.mark.same_on_every_system
def test_a_disk_that_another_run_installed_does_not_pass(fake_lab: FakeLab) -> None:
    marker = f"# cat {fake_lab.spec.markers.iso_copy}"
    fake_lab.guests[WORKER].says[marker] = (0, '{"files": 7, "nonce": "0123"}')
    result = fake_lab.run(*part("40_iso_copy"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*this disk was installed by another run*"])


@pytest.mark.same_on_every_system
def test_an_installer_that_ran_again_disproves_the_claim(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].identity["installer_runs"] = "2"
    assert fake_lab.run(*part("75_restarts")).ret == 1
    assert claims(fake_lab)["iso-detached"][0] == "disproven"


@pytest.mark.same_on_every_system
def test_a_guest_that_does_not_report_its_identity_is_asked_after_each_restart(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].silent.add("identity")
    assert fake_lab.run(*part("75_restarts"), "-k", WORKER).ret == 0
    facts = [event["facts"] for event in _events(fake_lab.latest) if event["kind"] == "machine-facts"]
    assert sum("ssh_logins" in str(item) for item in facts) == 4
    assert "reported over SSH" in (fake_lab.latest / "report.html").read_text(encoding="utf-8")


@pytest.mark.same_on_every_system
def test_a_guest_that_reports_half_of_its_identity_is_an_error(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].fault = lambda guest, vmx: fake_lab.guests[WORKER].identity.update(machine_id="")
    result = fake_lab.run(*part("75_restarts"), "-k", WORKER)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the guest does not report its machine_id on the serial line*"])


@pytest.mark.same_on_every_system
def test_an_iso_that_was_not_attached_again_proves_nothing(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].identity["volume"] = ""
    assert fake_lab.run(*part("75_restarts")).ret == 1
    assert claims(fake_lab)["iso-detached"][0] == "disproven"
    assert claims(fake_lab)["survived-restart"][0] == "proven"


@pytest.mark.same_on_every_system
def test_a_guest_that_boots_without_ssh_is_not_waited_for(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].silent.add("ssh-ready")
    assert fake_lab.run(*part("30_boot"), "-k", WORKER).ret == 0, "a lost event is no failure"
    fake_lab.guests[WORKER].fault = lambda guest, vmx: setattr(guest, "hang_up", True)
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert (result.ret, result.parseoutcomes()["failed"]) == (1, 1)
    result.stdout.fnmatch_lines(["boot of *: ssh login: fail: the guest has booted, and its sshd does not answer*"])


def test_a_hypervisor_that_breaks_is_an_error_with_its_words(fake_lab: FakeLab) -> None:
    fake_lab.vmrun.answers["start"] = ("Error: The file is already in use\n", 255)
    result = fake_lab.run(*part("30_boot"), "-k", WORKER)
    assert result.ret == 1
    result.assert_outcomes(failed=1, skipped=3, deselected=8)
    result.stdout.fnmatch_lines(
        ["boot of *: running: error: vmrun start failed: *", "*Error: The file is already in use*"]
    )


@pytest.mark.parametrize(
    ("keep", "good", "left"),
    [("never", True, False), ("on-failure", True, False), ("on-failure", False, True), ("always", True, True)],
)
def test_keep(fake_lab: FakeLab, keep: str, good: bool, left: bool) -> None:
    if not good:
        fake_lab.vmrun.answers["start"] = ("Error: Unknown error\n", 255)
    result = fake_lab.run(*part("30_boot"), "-k", WORKER, f"--keep={keep}")
    assert (result.ret == 0) is good
    assert (fake_lab.vmx(WORKER)).exists() is left
    assert bool(fake_lab.vmrun.rules) is left
    assert bool(directories(fake_lab)) is left
    kept = run_json(fake_lab)["kept"]
    assert isinstance(kept, list)
    assert bool(kept) is left
    assert (fake_lab.latest / WORKER / f"{WORKER}.vmx").is_file(), "evidence is collected before anything is destroyed"


@pytest.mark.same_on_every_system
def test_a_failed_check_of_a_finished_guest_keeps_the_machines(fake_lab: FakeLab) -> None:
    fake_lab.guests[WORKER].says["cat /proc/swaps"] = (0, "Filename Type Size Used Priority\n/swap file 1 0 -2\n")
    result = fake_lab.run(*part("80_guests"), "-k", f"{WORKER} and swap", "--keep=on-failure")
    assert result.ret == 1
    assert fake_lab.vmx(WORKER).exists()
    result.stdout.fnmatch_lines([f"kept until 20* (keep: on-failure, and the run is not green): {WORKER}"])


@pytest.mark.same_on_every_system
def test_what_a_dependency_says_of_its_future_is_no_failure_of_the_lab(fake_lab: FakeLab) -> None:
    (fake_lab.scenarios / "test_81_own.py").write_text(
        "import warnings\nimport pytest\npytestmark = pytest.mark.phase('guests')\n\n"
        "def test_own(machine_name):\n    warnings.warn('goes away', DeprecationWarning, stacklevel=1)\n"
    )
    result = fake_lab.run(*part("81_own"), "-k", WORKER)
    result.assert_outcomes(passed=1, warnings=1)


def test_a_machine_that_cannot_be_removed_is_reported_and_not_green(fake_lab: FakeLab) -> None:
    fake_lab.vmrun.answers["deleteVM"] = ("Error: Insufficient permissions in the host operating system\n", 255)
    result = fake_lab.run(*part("30_boot"), "-k", WORKER, "--keep=never")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"not done: {WORKER}: not removed: *", "*Insufficient permissions*"])
    assert fake_lab.vmx(WORKER).exists()


def test_collect_only_does_nothing(fake_lab: FakeLab) -> None:
    before = fake_lab.tree()
    result = fake_lab.run("--collect-only", "-q")
    assert result.ret == 0
    assert fake_lab.tree() == before
    assert not (fake_lab.path / "reports").exists()
    assert not (fake_lab.path / "cache").exists()
    assert fake_lab.vmrun.verbs() == []


def test_an_interrupt_ends_the_threads_and_leaves_a_report(fake_lab: FakeLab) -> None:
    fake_lab.edit("boot: 20, iso_copy", "boot: 120, iso_copy")
    fake_lab.guests[WORKER].silent |= {"ssh-ready", "boot-complete"}  # its thread waits for a login
    started = time.monotonic()
    (fake_lab.scenarios / "test_35_interrupt.py").write_text(
        "import pytest\npytestmark = pytest.mark.phase('boot')\n\n"
        "def test_interrupt(lab):\n    raise KeyboardInterrupt\n"
    )
    result = fake_lab.run(*part("35_interrupt", "60_packages"), interrupted=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert time.monotonic() - started < 90
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("machine")] == []
    assert run_json(fake_lab)["exit_status"] == pytest.ExitCode.INTERRUPTED
    assert (fake_lab.latest / "report.html").is_file()
    assert fake_lab.run(*part("00_environment")).ret == 0, "the lab is free again"


def test_output_is_utf_8_whatever_the_code_page(fake_lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp949")
    (fake_lab.scenarios / "test_95_words.py").write_text(
        "def test_words():\n    raise AssertionError('오류 – ✓')\n", encoding="utf-8"
    )
    words = ("-m", "pytest", *OPTIONS, "scenarios/test_95_words.py")
    result = fake_lab.pytester.run(sys.executable, *words)
    result.stdout.fnmatch_lines(["*AssertionError: 오류 – ✓*"])
