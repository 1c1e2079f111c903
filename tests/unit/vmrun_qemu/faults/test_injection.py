"""Faults on demand: their grammar, which call they hit, and what they do in place of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_agent import in_step, reply, supervised

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base import records as instances
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.faults import injection as faults
from harness.vmrun_qemu.faults.catalog import FAULTS
from harness.vmrun_qemu.faults.injection import Call, Entry, parse
from harness.vmrun_qemu.main import main


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path / "home"))


def ask_for(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(faults.VARIABLE, text)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(words)
    return code, capsys.readouterr().out


def call(verb: str, *parameters: str) -> Call:
    return Call(verb, parameters, lambda: 77)


def with_address(question: dict[str, Any]) -> bytes:
    if question["execute"] != "guest-network-get-interfaces":
        return in_step(question)
    return reply([{"ip-addresses": [{"ip-address": "192.168.6.10", "ip-address-type": "ipv4"}]}])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("list-empty", Entry("list-empty", "list-empty", "", "", 0, later_too=False)),
        ("hang:STOP", Entry("hang:STOP", "hang", "stop", "", 0, later_too=False)),
        ("hang:stop/k3s.w-1#2", Entry("hang:stop/k3s.w-1#2", "hang", "stop", "k3s.w-1", 2, later_too=False)),
        ("start-canceled/a b#3+", Entry("start-canceled/a b#3+", "start-canceled", "", "a b", 3, later_too=True)),
    ],
)
def test_an_entry_names_fault_verb_machine_and_calls(text: str, wanted: Entry) -> None:
    assert parse(text, FAULTS) == [wanted]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fly", "no such fault; there are exit-zero-error"),
        ("hang", "which command?"),
        ("hang:fly", "any command"),
        ("list-empty:stop", "this fault is about list"),
        ("hang:stop#0", "expected FAULT"),
        ("Hang:stop", "expected FAULT"),
        ("hang:stop#", "expected FAULT"),
        ("@/no/such/file", "/no/such/file"),
    ],
)
def test_what_cannot_be_understood_is_an_error_of_every_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    ask_for(monkeypatch, text)
    code, out = said(capsys, "list")
    assert (code, out.startswith("Error: VMRUN_QEMU_FAULTS: ")) == (255, True)
    assert reason in out.replace("\\\\", "/")


def test_entries_stand_in_a_file_too_and_can_change(tmp_path: Path) -> None:
    file = tmp_path / "faults"
    file.write_text("list-empty,\nhang:stop\r\n\n", encoding="utf-8")
    assert [entry.fault for entry in parse(f"@{file}", FAULTS)] == ["list-empty", "hang"]
    file.write_text("", encoding="utf-8")
    assert parse(f"@{file}", FAULTS) == []


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("unknown-error:start", [True, True, True, True]),
        ("unknown-error:start#1", [True, False, False, False]),
        ("unknown-error:start#3", [False, False, True, False]),
        ("unknown-error:start#2+", [False, True, True, True]),
        ("unknown-error:start/one#2", [False, True, False, False]),
        ("unknown-error:start/other", [False, False, False, False]),
        ("unknown-error:stop", [False, False, False, False]),
    ],
)
def test_the_calls_that_an_entry_hits(text: str, due: list[bool]) -> None:
    def hit() -> bool:
        try:
            return faults.carry_out(text, FAULTS, call("start", "/vms/one.vmx")) != 77
        except Failure:
            return True

    assert [hit() for _ in due] == due


def test_calls_that_an_entry_is_not_about_are_not_counted() -> None:
    text = "unknown-error:start/two#2"
    for path in ("/vms/two.vmx", "/vms/one.vmx", "C:\\vms\\one.vmx"):
        assert faults.carry_out(text, FAULTS, call("start", path)) == 77
    with pytest.raises(Failure):
        faults.carry_out(text, FAULTS, call("start", "C:\\vms\\two.vmx"))


def test_the_first_entry_that_is_due_counts() -> None:
    text = "file-in-use:start#2,unknown-error:start"
    for wanted in ("Unknown error", "The file is already in use", "Unknown error"):
        with pytest.raises(Failure, match=f"^{wanted}$"):
            faults.carry_out(text, FAULTS, call("start", "/vms/one.vmx"))


def test_an_error_with_status_zero(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for(monkeypatch, "exit-zero-error:listHostNetworks")
    assert said(capsys, "listhostnetworks") == (0, "Error: Unknown error\n")
    assert said(capsys, "list") == (0, "Total running VMs: 0\n")


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
        instances.save(record)
        words = (verb,) if verb == "list" else (verb, str(vmx))
        ask_for(monkeypatch, fault)
        assert said(capsys, *words) == wanted
        ask_for(monkeypatch, "")
        assert said(capsys, *words) != wanted


def test_a_start_that_is_canceled_says_why_in_the_log_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vmx = tmp_path / "one.vmx"
    vmx.touch()
    ask_for(monkeypatch, "start-canceled")
    assert said(capsys, "start", str(vmx), "nogui") == (255, "Error: The operation was canceled\n")
    assert "Msg_Post: Error" in (tmp_path / "vmware.log").read_text(encoding="utf-8")


def test_conditions_that_are_not_met_leave_the_verb_as_it_is() -> None:
    vmx = "/vms/one.vmx"
    for text, verb, words in [
        ("already-running", "start", [vmx]),
        ("revert-in-use", "revertToSnapshot", [vmx, "s"]),
        ("soft-stop-hangs", "stop", [vmx, "hard"]),
        ("wedged-after-resume", "getGuestIPAddress", [vmx]),
    ]:
        assert faults.carry_out(text, FAULTS, call(verb, *words)) == 77


def test_faults_of_a_machine_that_runs() -> None:
    vmx = "/vms/one.vmx"
    with supervised(in_step, vmx) as record:
        instances.save(record)
        with pytest.raises(Failure, match="already running"):
            faults.carry_out("already-running", FAULTS, call("start", vmx))
        with pytest.raises(Failure, match="already in use"):
            faults.carry_out("revert-in-use", FAULTS, call("revertToSnapshot", vmx, "s"))


def test_a_guest_is_wedged_from_its_resume_to_its_reset(capsys: pytest.CaptureFixture[str]) -> None:
    vmx, text = "/vms/one.vmx", "wedged-after-resume"
    with supervised(in_step, vmx) as record:
        instances.save(record)
        assert faults.carry_out(text, FAULTS, call("getGuestIPAddress", vmx)) == 77
        instances.save({**record, "resumed": True})
        with pytest.raises(Failure, match="Tools are not running"):
            faults.carry_out(text, FAULTS, call("getGuestIPAddress", vmx))
        assert faults.carry_out(text, FAULTS, call("checkToolsState", vmx)) == 0
        assert capsys.readouterr().out == "installed\n"
        assert faults.carry_out(text, FAULTS, call("reset", vmx)) == 77
        assert faults.carry_out(text, FAULTS, call("getGuestIPAddress", vmx)) == 77


@pytest.mark.parametrize(
    ("fault", "words"),
    [("hang:list", ["list"]), ("soft-stop-hangs", ["stop", "{vmx}", "SOFT"]), ("hang:start#1", ["start", "{vmx}"])],
)
def test_a_command_that_hangs_has_to_be_ended(tmp_path: Path, fault: str, words: list[str]) -> None:
    vmx = tmp_path / "one.vmx"
    vmx.touch()
    argv = [sys.executable, "-m", "harness.vmrun_qemu", *(word.format(vmx=vmx) for word in words)]
    env = {**os.environ, faults.VARIABLE: fault}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=env) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        process.kill()
        assert process.communicate(timeout=30)[0] == b""


def test_faults_are_told_by_about(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "tcg")
    monkeypatch.setattr("harness.vmrun_qemu.qemu.locate.find", FakeQemu)
    ask_for(monkeypatch, "list-empty,hang:stop")
    told = json.loads(said(capsys, "about")[1])["faults"]
    assert told["asked for"] == ["list-empty", "hang:stop"]
    assert set(told["known"]) == set(FAULTS)


class FakeQemu:
    binary = Path("qemu")

    def version(self) -> tuple[str, tuple[int, ...]]:
        return "7.2", (7, 2)


def test_no_counter_is_written_where_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    faults.carry_out("unknown-error:stop,unknown-error:start/x#1", FAULTS, call("start", "/vms/one.vmx"))
    assert not (home.root() / "faults.json").exists()
