from __future__ import annotations

from pathlib import Path

import pytest

from harness.system.process import run_in_terminal

from .command_line import run_lab
from .left_lab import LeftLab


def test_a_directory_without_a_run_is_wrong_input(tmp_path: Path) -> None:
    result = run_lab("ssh", "--reports", tmp_path, "k3s-master1")
    assert result.exit_code == 4
    assert "run `pytest scenarios/`" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("df", "-h"),
        ("ls", "-a", "--help"),
        ("--", "ls", "-l"),
        ("-v",),
        ("sudo", "-n", "--", "sh", "-c", "id; pwd"),
    ],
)
def test_every_word_behind_the_machine_is_passed_to_ssh(tmp_path: Path, words: tuple[str, ...]) -> None:
    called: list[list[str]] = []

    def fake_ssh(argv: list[str]) -> int:
        called.append(argv)
        return 7

    left = LeftLab(tmp_path)
    result = run_lab("ssh", "--reports", left.reports, "k3s-master1", *words, replacements={run_in_terminal: fake_ssh})
    assert (result.exit_code, result.output) == (7, "")
    assert called == [["ssh", "-F", str(left.files.ssh_config), "k3s-master1", *words]]


def test_a_name_of_no_vm_lists_those_that_are_there(tmp_path: Path) -> None:
    result = run_lab("ssh", "--reports", LeftLab(tmp_path).reports, "nosuch")
    assert result.exit_code == 4
    assert "left no VM nosuch" in result.stderr
    assert "give one of: k3s-master1, k3s-worker1, k3s-worker2" in result.stderr


def test_an_unknown_option_before_the_machine_is_wrong_usage() -> None:
    assert run_lab("ssh", "--no-such-option", "k3s-master1").exit_code == 2
