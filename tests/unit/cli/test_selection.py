from __future__ import annotations

from pathlib import Path

import pytest

from harness.lab.selection import Selection, select

from .command_line import CommandLine, run_lab


@pytest.mark.parametrize("command", ["plan", "doctor", "status", "tools", "down", "seed", "setup"])
def test_a_lab_file_that_is_missing_ends_with_4_and_one_error(command: str, tmp_path: Path) -> None:
    result = run_lab(command, "--lab", tmp_path / "lab.yaml")
    assert result.exit_code == 4
    assert result.stderr.count("ERROR: ") == 1
    assert "no lab file here" in result.stderr
    assert "remedy:" in result.stderr


def test_a_wrong_lab_file_ends_with_4_and_every_problem(lab: CommandLine) -> None:
    lab.edit("  cpus: 2", "  cpsu: 2")
    result = lab("plan")
    assert result.exit_code == 4
    assert "did you mean cpus?" in result.stderr
    assert "hardware.cpus: missing key" in result.stderr
    assert result.stdout == ""


def test_the_options_reach_the_selection(lab: CommandLine) -> None:
    seen = []

    def selecting(lab_file: Path, *, vmrun: str | None, overlay: str | None) -> Selection:
        seen.append((lab_file, vmrun, overlay))
        return lab.select(lab_file)

    lab.replacements[select] = selecting
    assert lab("plan", "--vmrun", "embedded", "--overlay", "small").exit_code == 0
    assert lab("plan").exit_code == 0
    assert seen == [(lab.file, "embedded", "small"), (lab.file, None, None)]
