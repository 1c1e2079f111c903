"""What each fault does in place of the verb."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_agent import in_step, reply, supervised
from vmrun_qemu_command import run_main

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.faults.catalog import FAULTS
from harness.vmrun_qemu.faults.injection import VARIABLE, carry_out

from .fault_calls import call, inject


def with_address(question: dict[str, Any]) -> bytes:
    if question["execute"] != "guest-network-get-interfaces":
        return in_step(question)
    return reply([{"ip-addresses": [{"ip-address": "192.168.6.10", "ip-address-type": "ipv4"}]}])


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("address-unknown", (0, "unknown\n")),
        ("address-empty", (0, "\n")),
        ("address-none", (255, "Error: Unable to get the IP address\n")),
        ("address-of-bridge", (0, "172.17.0.1\n")),
        ("tools-installed", (0, "installed\n")),
        ("list-empty", (0, "Total running VMs: 0\n")),
    ],
)
def test_lies_about_a_machine_that_runs(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fault: str,
    wanted: tuple[int, str],
) -> None:
    vmx = tmp_path / "one.vmx"
    vmx.touch()
    (verb,) = FAULTS[fault].verbs
    with supervised(with_address, str(vmx)) as record:
        records.save(record)
        words = (verb,) if verb == "list" else (verb, str(vmx))
        inject(monkeypatch, fault)
        assert run_main(capsys, *words) == wanted
        inject(monkeypatch, "")
        assert run_main(capsys, *words) != wanted


def test_an_error_with_status_zero(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, "exit-zero-error:listHostNetworks")
    assert run_main(capsys, "listhostnetworks") == (0, "Error: Unknown error\n")
    assert run_main(capsys, "list") == (0, "Total running VMs: 0\n")


def test_a_start_that_is_canceled_says_why_in_the_log_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vmx = tmp_path / "one.vmx"
    vmx.touch()
    inject(monkeypatch, "start-canceled")
    assert run_main(capsys, "start", str(vmx), "nogui") == (255, "Error: The operation was canceled\n")
    assert "Msg_Post: Error" in (tmp_path / "vmware.log").read_text(encoding="utf-8")


def test_conditions_that_are_not_met_leave_the_verb_as_it_is() -> None:
    vmx = "/vms/one.vmx"
    for text, verb, words in [
        ("already-running", "start", [vmx]),
        ("revert-in-use", "revertToSnapshot", [vmx, "s"]),
        ("soft-stop-hangs", "stop", [vmx, "hard"]),
        ("wedged-after-resume", "getGuestIPAddress", [vmx]),
    ]:
        assert carry_out(text, FAULTS, call(verb, *words)) == 77


def test_faults_of_a_machine_that_runs() -> None:
    vmx = "/vms/one.vmx"
    with supervised(in_step, vmx) as record:
        records.save(record)
        with pytest.raises(Failure, match="already running"):
            carry_out("already-running", FAULTS, call("start", vmx))
        with pytest.raises(Failure, match="already in use"):
            carry_out("revert-in-use", FAULTS, call("revertToSnapshot", vmx, "s"))


def test_a_guest_is_wedged_from_its_resume_to_its_reset(capsys: pytest.CaptureFixture[str]) -> None:
    vmx, text = "/vms/one.vmx", "wedged-after-resume"
    with supervised(in_step, vmx) as record:
        records.save(record)
        assert carry_out(text, FAULTS, call("getGuestIPAddress", vmx)) == 77
        records.save({**record, "resumed": True})
        with pytest.raises(Failure, match="Tools are not running"):
            carry_out(text, FAULTS, call("getGuestIPAddress", vmx))
        assert carry_out(text, FAULTS, call("checkToolsState", vmx)) == 0
        assert capsys.readouterr().out == "installed\n"
        assert carry_out(text, FAULTS, call("reset", vmx)) == 77
        assert carry_out(text, FAULTS, call("getGuestIPAddress", vmx)) == 77


@pytest.mark.parametrize(
    ("fault", "words"),
    [("hang:list", ["list"]), ("soft-stop-hangs", ["stop", "{vmx}", "SOFT"]), ("hang:start#1", ["start", "{vmx}"])],
)
def test_a_command_that_hangs_has_to_be_ended(tmp_path: Path, fault: str, words: list[str]) -> None:
    vmx = tmp_path / "one.vmx"
    vmx.touch()
    argv = [sys.executable, "-m", "harness.vmrun_qemu", *(word.format(vmx=vmx) for word in words)]
    env = {**os.environ, VARIABLE: fault}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=env) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        process.kill()
        assert process.communicate(timeout=30)[0] == b""
