"""The scenario modules: one for each phase, each in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.verdict import Phase
from harness.plugin.scenario_module import ScenarioModule

REPOSITORY = Path(__file__).parents[3]
MODULES = sorted((REPOSITORY / "scenarios").glob("test_*.py"))


def mark(path: Path) -> str:
    """Return the phase that the module is marked with."""
    _, _, rest = path.read_text(encoding="utf-8").partition('pytest.mark.phase("')
    return rest.partition('"')[0]


def test_each_phase_has_one_module_in_the_order_of_the_phases() -> None:
    assert [mark(path) for path in MODULES] == [phase.value for phase in Phase]


def test_a_module_is_named_like_its_phase() -> None:
    for path in MODULES:
        assert path.stem.partition("_")[2].partition("_")[2] == mark(path).replace("-", "_")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.stem))
def test_the_readme_says_what_a_module_asserts(path: Path) -> None:
    assert f"| `{path.name}` |" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_tests_of_the_guests_are_in_the_module_of_their_phase() -> None:
    assert [path.name for path in MODULES if ScenarioModule.read(path).has_guest_tests] == ["test_80_guests.py"]
