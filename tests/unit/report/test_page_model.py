"""Links and files of the page."""

from __future__ import annotations

import pytest

from harness.core.verdict import Check, Phase, Status, Verdict
from harness.report.page_model import evidence_link, link, logs_of, tiles, troubled
from harness.results.model import CaseResult, EvidenceFile, Outcome, RunResult, Span, SpanKind


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/run.json", "a/../../b", "C:\\lab\\vm.vmx", "F:/vms/a.log"])
def test_a_path_outside_of_the_run_is_no_link(path: str) -> None:
    assert link(path).href == ""
    assert link(path).text == path


def test_a_path_inside_is_a_relative_link_and_is_quoted() -> None:
    assert link("k3s-worker1/serial 1#.log").href == "./k3s-worker1/serial%201%23.log"


@pytest.mark.parametrize("path", ["/labs/vms/k3s-worker1/vmware.log", "F:\\VMs\\k3s-worker1\\vmware.log"])
def test_a_file_of_the_machine_links_to_its_copy(path: str) -> None:
    run = RunResult(evidence=(EvidenceFile("k3s-worker1/vmware.log", "k3s-worker1"),))
    assert evidence_link(run, "k3s-worker1", path).href == "./k3s-worker1/vmware.log"
    assert evidence_link(run, "k3s-worker2", path).href == ""


def test_every_log_is_shown_newest_console_first_and_pictures_are_no_text() -> None:
    names = ["screen.png", "apt-term.log", "cloud-init-analyze.txt", "cloud-init-result.json", "journal.log"]
    names += ["cloud-init.log", "serial-1.log", "serial-3.log", "serial-2.log", "vmware.log"]
    run = RunResult(evidence=tuple(EvidenceFile(f"m/{name}", "m") for name in names))
    assert [item.path for item in logs_of(run, "m")] == [
        "m/serial-3.log",
        "m/serial-2.log",
        "m/serial-1.log",
        "m/vmware.log",
        "m/cloud-init.log",
        "m/journal.log",
        "m/apt-term.log",
        "m/cloud-init-analyze.txt",
        "m/cloud-init-result.json",
    ]
    assert logs_of(run, None) == ()


def test_logs_are_shown_of_failed_and_unfinished_machines() -> None:
    def verdict(machine: str, status: Status) -> Verdict:
        return Verdict(Phase.BOOT, machine, (Check("c", status, "", ""),), 0.0, 1.0)

    run = RunResult(
        verdicts=(verdict("good", Status.PASS), verdict("bad", Status.FAIL), verdict("open", Status.NOT_PROVEN)),
        spans=(Span("cut", "boot", SpanKind.PHASE, 0.0, 1.0, finished=False),),
    )
    assert troubled(run) == ("bad", "cut")


def test_tests_of_an_interrupted_run_are_not_called_all() -> None:
    run = RunResult(tests=(CaseResult("t", Outcome.PASSED),), exit_status=2)
    shown = {name: number for name, number, _ in tiles(run)}
    assert shown["tests passed"] == "1 of 1 that ran"
