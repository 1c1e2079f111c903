"""A lab outside of this checkout: the entry point, and no test that asserts on this computer in place of a guest."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.model import Keep
from harness.lab.resume.decision import ResumeMode
from harness.plugin import options

from .fake_lab import OPTIONS, FakeLab

pytest_plugins = ("pytester",)

# As the entry point does: before the plugins of other packages, and once.
ENTRY = ("-p", "harness.plugin.entry", *OPTIONS)
MARK = 'import pytest\npytestmark = pytest.mark.phase("guests")\n\n\n'
GUEST = f"{MARK}def test_name(host):\n    assert host.system_info\n"


def own_repository(lab: FakeLab) -> Path:
    """Turn the lab into a lab file and one test, without pytest settings."""
    for name in ("conftest.py", "pyproject.toml"):
        (lab.path / name).unlink()
    for path in lab.scenarios.glob("test_*.py"):
        path.unlink()
    (lab.scenarios / "test_own.py").write_text(GUEST, encoding="utf-8")
    own = lab.path / "own"
    lab.scenarios.rename(own)
    return own


def run(lab: FakeLab, *words: str) -> pytest.RunResult:
    return lab.pytester.runpytest_inprocess(*ENTRY, *words)


def refusal(result: pytest.RunResult) -> str:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = "\n".join(result.errlines)
    assert text.count("ERROR") == text.count("remedy:") == 1
    return text


def test_a_guest_test_runs_on_the_guest_without_a_conftest(fake_lab: FakeLab) -> None:
    own_repository(fake_lab)
    result = run(fake_lab, "own", "--collect-only", "-q")
    assert result.ret == 0
    assert [line for line in result.outlines if "::" in line] == [
        f"own/test_own.py::test_name[{name}]" for name in fake_lab.spec.machines
    ]


@pytest.mark.parametrize("load", ["harness.plugin", "harness.plugin.entry"])
def test_it_is_loaded_once_however_it_is_named(fake_lab: FakeLab, load: str) -> None:
    own = own_repository(fake_lab)
    (own / "conftest.py").write_text('pytest_plugins = ("harness.plugin",)\n', encoding="utf-8")
    result = fake_lab.pytester.runpytest_inprocess("-p", load, *ENTRY, "own", "--collect-only", "-q")
    assert result.ret == 0
    assert sum("::" in line for line in result.outlines) == len(fake_lab.spec.machines)


@pytest.mark.parametrize(
    "own_host",
    [
        "@pytest.fixture\ndef host():\n    return __import__('testinfra').get_host('local://')\n",
        "@pytest.fixture\ndef host(host):\n    return host\n",
        "@pytest.fixture(autouse=True)\ndef other(_testinfra_host):\n    pass\n",
    ],
)
def test_another_host_is_refused(fake_lab: FakeLab, own_host: str) -> None:
    own = own_repository(fake_lab)
    (own / "conftest.py").write_text(f"import pytest\n\n\n{own_host}", encoding="utf-8")
    text = refusal(run(fake_lab, "own"))
    assert "is not a machine of the lab" in text
    assert "own/test_own.py::test_name" in text
    assert fake_lab.vmrun.verbs() == []


def test_a_test_of_a_lab_without_a_lab_is_refused(fake_lab: FakeLab) -> None:
    own = own_repository(fake_lab)
    (fake_lab.path / "elsewhere").mkdir()
    (own / "test_own.py").rename(fake_lab.path / "elsewhere" / "test_own.py")
    text = refusal(run(fake_lab, "elsewhere"))
    assert f"{Path('elsewhere', 'lab.yaml')}: no lab file here" in text


def test_a_test_of_another_lab_is_refused(fake_lab: FakeLab) -> None:
    own = own_repository(fake_lab)
    (own / "inner").mkdir()
    for name in ("lab.yaml", "test_own.py"):
        (own / "inner" / name).write_bytes((own / name).read_bytes())
    (own / "inner" / "test_own.py").rename(own / "inner" / "test_inner.py")
    text = refusal(run(fake_lab, "own"))
    assert f"a test of another lab: {own / 'inner' / 'lab.yaml'}" in text


def test_a_foreign_mark_of_that_name_is_left_alone(fake_lab: FakeLab) -> None:
    own_repository(fake_lab)
    (fake_lab.path / "elsewhere").mkdir()
    text = "import pytest\n\n\n@pytest.mark.phase(3)\n@pytest.mark.phase('moon')\ndef test_moon():\n    pass\n"
    (fake_lab.path / "elsewhere" / "test_moon.py").write_text(text, encoding="utf-8")
    assert run(fake_lab, "elsewhere").ret == 0


def test_results_are_beside_the_lab_wherever_the_rootdir_is(fake_lab: FakeLab, tmp_path: Path) -> None:
    own = own_repository(fake_lab)
    moved = ("--vmrun", str(fake_lab.vmrun.program))  # a path as a word of its own moves pytest's rootdir
    result = run(fake_lab, "own", "--collect-only", *moved)
    assert result.ret == 0
    assert any(line.startswith(f"results: {own / 'reports'}") for line in result.outlines)
    own.rename(fake_lab.scenarios)
    result = run(fake_lab, "scenarios", "--collect-only", *moved)
    assert any(line.startswith(f"results: {fake_lab.path / 'reports'}") for line in result.outlines)


def test_a_lab_file_given_by_option_makes_a_lab_of_any_directory(fake_lab: FakeLab) -> None:
    own = own_repository(fake_lab)
    (own / "lab.yaml").rename(own / "other.yaml")
    result = run(fake_lab, "own", "--lab", "own/other.yaml", "--collect-only", "-q")
    assert result.ret == 0
    assert sum("::" in line for line in result.outlines) == len(fake_lab.spec.machines)


def test_the_values_of_the_options_are_those_of_the_lab() -> None:
    assert tuple(Keep) == options.KEEP
    assert {options.CONVERGE, options.RESUME, options.REUSE, options.FRESH} == set(ResumeMode)
