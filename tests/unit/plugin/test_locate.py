from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.plugin.locate import lab_directory, nearest_lab, results_directory


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a lab in `scenarios` and another one in `other/lab`."""
    for folder in ("scenarios/more", "other/lab", "empty"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("scenarios", "other/lab"):
        (tmp_path / folder / "lab.yaml").touch()
    return tmp_path.resolve()


def config_of(project: Path, *args: str, lab: Path | None = None) -> Any:
    return SimpleNamespace(
        args=args, invocation_params=SimpleNamespace(dir=project), option=SimpleNamespace(lab=lab), rootpath=project
    )


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (("scenarios",), "scenarios"),
        (("scenarios/more/test_x.py::test_x[w1]",), "scenarios"),
        ((".",), "scenarios"),
        (("other/lab/test_x.py",), "other/lab"),
        (("empty", "other/lab", "scenarios"), "other/lab"),
        (("empty",), None),
        ((), None),
    ],
)
def test_the_lab_is_at_or_above_a_path_of_the_command_line(
    project: Path, args: tuple[str, ...], found: str | None
) -> None:
    assert lab_directory(config_of(project, *args)) == (project / found if found else None)


def test_with_a_named_lab_file_the_tests_can_be_anywhere(project: Path) -> None:
    lab = project / "my.yaml"
    assert lab_directory(config_of(project, "empty", lab=lab)) == project / "empty"
    assert lab_directory(config_of(project, "empty/test_x.py", lab=lab)) == project / "empty"
    assert lab_directory(config_of(project, lab=lab)) is None


def test_the_nearest_lab_counts(project: Path) -> None:
    (project / "lab.yaml").touch()
    assert nearest_lab(project / "scenarios" / "more") == project / "scenarios"
    assert nearest_lab(project / "empty") == project


def test_results_are_beside_scenarios_or_in_the_lab(project: Path) -> None:
    assert results_directory(project / "scenarios") == project / "reports"
    assert results_directory(project / "other" / "lab") == project / "other" / "lab" / "reports"
