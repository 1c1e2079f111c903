"""Faults on demand: their grammar, and which call they hit."""

from __future__ import annotations

from pathlib import Path

import pytest
from vmrun_qemu_command import run_main

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.faults.catalog import FAULTS
from harness.vmrun_qemu.faults.injection import Entry, carry_out, parse

from .fault_calls import call, inject


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
    inject(monkeypatch, text)
    code, out = run_main(capsys, "list")
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
            return carry_out(text, FAULTS, call("start", "/vms/one.vmx")) != 77
        except Failure:
            return True

    assert [hit() for _ in due] == due


def test_calls_that_an_entry_is_not_about_are_not_counted() -> None:
    text = "unknown-error:start/two#2"
    for path in ("/vms/two.vmx", "/vms/one.vmx", "C:\\vms\\one.vmx"):
        assert carry_out(text, FAULTS, call("start", path)) == 77
    with pytest.raises(Failure):
        carry_out(text, FAULTS, call("start", "C:\\vms\\two.vmx"))


def test_the_first_entry_that_is_due_counts() -> None:
    text = "file-in-use:start#2,unknown-error:start"
    for wanted in ("Unknown error", "The file is already in use", "Unknown error"):
        with pytest.raises(Failure, match=f"^{wanted}$"):
            carry_out(text, FAULTS, call("start", "/vms/one.vmx"))


def test_no_counter_is_written_where_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out("unknown-error:stop,unknown-error:start/x#1", FAULTS, call("start", "/vms/one.vmx"))
    assert not (home.root() / "faults.json").exists()
