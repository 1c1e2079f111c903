from __future__ import annotations

import json
from pathlib import Path

from harness.lab.selection import lock
from harness.ownership.marker import ForeignReason

from .command_line import CommandLine, files_below


def test_a_lab_without_resources(lab: CommandLine, tmp_path: Path) -> None:
    lab.script_vmrun()
    before = files_below(tmp_path)
    result = lab("status")
    assert (result.exit_code, result.output) == (0, f"nothing of the lab airgap-lab in {lab.vms}\n")
    assert files_below(tmp_path) == before


def test_what_runs_is_not_known_where_vmrun_cannot_be_started(lab: CommandLine) -> None:
    for command in ("status", "down"):
        result = lab(command)
        assert result.exit_code == 1
        assert "nothing of the lab" not in result.output


def test_a_vm_is_shown_with_its_state_its_owner_and_its_foreign_files(lab: CommandLine) -> None:
    directory = lab.leave_vm()
    lab.script_vmrun()
    shown = lab("status").output
    assert f"k3s-master1      off          0 MiB  ssh 192.168.6.10  {directory}" in shown
    assert "made by me@here at 2026-01-02T03:04:05+00:00, run run-1" in shown
    assert f"not ours: {directory / 'thesis.docx'} ({ForeignReason.NAME})" in shown
    reported = json.loads(lab("status", "--json").output)
    assert [(item["name"], item["state"]) for item in reported["machines"]] == [("k3s-master1", "off")]


def test_the_session_that_works_on_the_lab_is_shown(lab: CommandLine) -> None:
    lab.script_vmrun()
    with lock(lab.select(lab.file)):
        assert "in use by " in lab("status").output


def test_a_vmrun_that_cannot_be_started_is_an_error_of_the_host(lab: CommandLine) -> None:
    lab.leave_vm()
    result = lab("status")
    assert result.exit_code == 1
    assert "ERROR: " in result.stderr
    assert "remedy:" in result.stderr
