"""Grammar of `vmrun-qemu`: VMware's words and exit statuses, with nothing running."""

from __future__ import annotations

from pathlib import Path

import pytest
from vmrun_qemu_command import run_main

from harness.vmrun_qemu.verbs import VERBS, VERSION


def test_without_a_word_the_usage_begins_with_an_empty_line_and_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run_main(capsys)
    assert code == 255
    lines = out.splitlines()
    assert lines[:4] == ["", VERSION, "", "Usage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]"]
    assert {line.split()[0] for line in lines[14:] if line} >= set(VERBS)


def test_an_unknown_flag_is_named_before_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run_main(capsys, "--help")
    assert code == 255
    assert out.splitlines()[:3] == ["Invalid argument: --help", "", VERSION]


def test_an_unknown_command_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(capsys, "-T", "ws", "fly") == (255, "Error: Unrecognized command: fly\n")


@pytest.mark.parametrize("word", ["list", "LIST", "List"])
def test_commands_match_without_case_and_flags_come_first_in_any_order(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    nothing = (0, "Total running VMs: 0\n")
    assert run_main(capsys, word) == nothing
    assert run_main(capsys, "-gp", "x", "-T", "player", "-gu", "y", "-vp", "z", word) == nothing


def test_flags_after_the_command_get_the_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.touch()
    for words in (["stop", str(vmx), "-T", "ws"], ["captureScreen", str(vmx), "-gu"]):
        code, out = run_main(capsys, *words)
        assert (code, out.splitlines()[1]) == (255, VERSION)


@pytest.mark.parametrize("words", [["list", "more"], ["setPortForwarding", "vmnet1"], ["-T"]])
def test_too_few_or_too_many_parameters_get_the_usage(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    code, out = run_main(capsys, *words)
    assert code == 255
    assert VERSION in out


def test_a_path_that_leads_to_no_vmx(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = str(tmp_path / "no such.vmx")
    assert run_main(capsys, "start", missing, "nogui") == (
        255,
        f"Error: Cannot open VM: {missing}, The virtual machine cannot be found\n",
    )
    assert run_main(capsys, "start", "hard", missing) == (255, "Error: Cannot open VM: hard, unknown file suffix\n")
    assert run_main(capsys, "start") == (255, "No Vm name provided\n")


def test_a_broken_vmx_cannot_be_deleted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.write_text("not a vmx\n", encoding="utf-8")
    wanted = f"Error: Cannot open VM: {vmx}, Cannot read the virtual machine configuration file\n"
    assert run_main(capsys, "deleteVM", str(vmx)) == (255, wanted)
    assert vmx.exists()


def test_an_unknown_power_word_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.touch()
    assert run_main(capsys, "start", str(vmx), "window") == (255, "Error: One of the parameters was invalid: window\n")
