from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from run_samples import RUN_ID, WORKER, events_of

from harness.core.layout import RunFiles
from harness.core.secret import Secret
from harness.lab.lab import Lab
from harness.lab.opening import journal_run_start, open_lab
from harness.lab.selection import Selection
from harness.ownership.ledger import Content
from harness.results.claim_rules import Asked
from harness.results.journal import Journal
from harness.system.ports import HeldPorts


def test_an_opened_lab_has_touched_no_machine(selection: Selection, journal: Journal, tmp_path: Path) -> None:
    run = RunFiles(tmp_path / "reports" / RUN_ID)
    with HeldPorts() as ports:
        lab = open_lab(selection, run, journal, ports)
    assert lab.context.run_id == RUN_ID
    assert (lab.run, lab.context.journal, lab.context.ports) == (run, journal, ports)
    assert list(lab.machines) == list(selection.spec.machines)
    assert lab.machines[WORKER].iso is None, "its seed is not built yet"
    assert lab.verdicts.recorded() == []
    assert lab.context.ledger.read() == Content()
    lab.stop()


def test_two_labs_of_one_file_have_nonces_of_their_own(selection: Selection, journal: Journal, tmp_path: Path) -> None:
    with HeldPorts() as ports:
        labs = [open_lab(selection, RunFiles(tmp_path / name), journal, ports) for name in ("run-1", "run-2")]
    first, second = (lab.machines[WORKER].plan.nonce for lab in labs)
    assert first != second


def test_the_first_event_says_what_the_run_is(lab: Lab, selection: Selection) -> None:
    secret = Secret("geheim-4711")
    asked = Asked(places=("boot of k3s-worker1",), left_out=("test_90_cluster.py",))
    journal_run_start(lab, selection, ["scenarios", f"--word={secret.reveal()}"], asked)
    (event,) = events_of(lab.context, "run-start")
    run = event["run"]
    assert isinstance(run, dict)
    assert (run["run_id"], run["lab"], run["overlay"]) == (RUN_ID, "airgap-lab", "")
    assert run["lab_file_sha256"] == hashlib.sha256(selection.lab_file.read_bytes()).hexdigest()
    assert run["argv"][:2] == ["pytest", "scenarios"]
    assert "geheim-4711" not in str(run)
    assert [machine["name"] for machine in run["machines"]] == list(lab.machines)
    worker = next(machine for machine in run["machines"] if machine["name"] == WORKER)
    plan = lab.machines[WORKER].plan
    assert worker["endpoint"] == f"{plan.endpoint.host}:{plan.endpoint.port}"
    assert (run["asked"], run["left_out"]) == (["boot of k3s-worker1"], ["test_90_cluster.py"])
    assert run["host"]["packages"].keys() >= {"pytest", "paramiko"}
    assert run["hypervisor"]["kind"] == "vmware"


def test_a_lab_file_that_went_away_is_an_error(lab: Lab, selection: Selection) -> None:
    selection.lab_file.unlink()
    with pytest.raises(OSError, match="No such file"):
        journal_run_start(lab, selection, [], Asked())
