"""The recipes of the README, applied to a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .fake_lab import MACHINES, OPTIONS, REPOSITORY, FakeLab

pytest_plugins = ("pytester",)

WORKER = "k3s-worker1"
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"<!-- recipe: (?P<name>[\w-]+) -->\n```\w+\n# (?P<path>\S+)\n(?P<text>.*?)```\n", re.DOTALL)
# The host of these runs has room, whatever this one has: the sessions run in processes of their own.
_ROOMY_HOST = """\
from types import SimpleNamespace

import psutil

import harness

psutil.virtual_memory = lambda: SimpleNamespace(available=16 << 30, total=64 << 30)
psutil.disk_usage = lambda _: SimpleNamespace(free=100 << 30)


def pytest_report_header():
    return f"harness of {harness.__file__}"
"""


def blocks(recipe: str) -> list[tuple[str, str]]:
    """Return path and text of each block of the recipe."""
    found = [(match["path"], match["text"]) for match in _BLOCK.finditer(README) if match["name"] == recipe]
    assert found, f"the README has no recipe {recipe!r}"
    return found


def follow(recipe: str, folder: Path) -> None:
    """Apply each block of the recipe: a new file, or new lines."""
    for path, text in blocks(recipe):
        file = folder / path
        if not file.exists():
            file.write_text(f"# {path}\n{text}", encoding="utf-8")
            continue
        before = file.read_text(encoding="utf-8")
        file.write_text(_changed(before, text) if "\n+" in text else f"{before}\n\n{text}", encoding="utf-8")


def _changed(before: str, text: str) -> str:
    """Insert the lines marked with `+`; the lines around them occur once."""
    lines = text.splitlines(keepends=True)
    assert {line[0] for line in lines} == {" ", "+"}
    old, new = "".join(line[1:] for line in lines if line[0] == " "), "".join(line[1:] for line in lines)
    assert before.count(old) == 1, old
    return before.replace(old, new)


def copy_of(folder: str, to: Path) -> None:
    shutil.copytree(REPOSITORY / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def copied(fake_lab: FakeLab) -> FakeLab:
    """A lab of stand-ins whose folder has a harness of its own."""
    copy_of("harness", fake_lab.path)
    (fake_lab.path / "roomy_host.py").write_text(_ROOMY_HOST, encoding="utf-8")
    return fake_lab


def run(lab: FakeLab, *words: str) -> pytest.RunResult:
    """Run pytest in a process, with the harness of the folder."""
    result = lab.pytester.runpytest_subprocess(*OPTIONS, "-p", "roomy_host", *words)
    result.stdout.fnmatch_lines([f"harness of {lab.path / 'harness'}*"])
    return result


def everywhere(lab: FakeLab, command: str, output: str) -> None:
    """Set the answer of every guest to that command."""
    for name in MACHINES:
        lab.guests[name].says[command] = (0, output)


def claims(lab: FakeLab) -> dict[str, str]:
    """Return the standing of each claim."""
    return {item["claim"]: item["standing"] for item in json.loads((lab.latest / "run.json").read_text())["claims"]}


@pytest.mark.same_on_every_system
def test_a_check_of_the_guests_is_one_function(copied: FakeLab) -> None:
    follow("guest-check", copied.path)
    everywhere(copied, "ls /home", f"{copied.spec.ssh.user}\n")
    result = run(copied, "scenarios/test_80_guests.py", "-k", f"{WORKER} and home")
    result.assert_outcomes(passed=1)
    copied.guests[WORKER].says["ls /home"] = (0, "ubuntu intruder\n")
    result = run(copied, "scenarios/test_80_guests.py", "-k", WORKER, "--fresh")
    assert result.parseoutcomes()["failed"] == 1
    assert claims(copied)["settings-as-promised"] == "disproven"
    assert "only the lab user has a home" in (copied.latest / "report.html").read_text(encoding="utf-8")


@pytest.mark.same_on_every_system
def test_a_test_of_the_guests_counts_for_the_claim_that_it_names(copied: FakeLab) -> None:
    follow("guest-module", copied.path)
    everywhere(copied, "cat /etc/environment", "PATH=/usr/bin\n")
    result = run(copied, "scenarios/test_85_site.py")
    result.assert_outcomes(passed=3)
    assert claims(copied)["settings-as-promised"] == "not-proven", "its tests were not asked"
    copied.guests[WORKER].says["cat /etc/environment"] = (0, "http_proxy=http://192.168.6.1\n")
    assert run(copied, "scenarios/test_85_site.py", "--fresh").parseoutcomes() == {"passed": 2, "failed": 1}
    assert claims(copied)["air-gapped"] == "disproven"
    assert claims(copied)["settings-as-promised"] == "not-proven"


@pytest.mark.same_on_every_system
def test_a_phase_is_one_module_one_registration_and_one_scenario_module(copied: FakeLab) -> None:
    follow("phase", copied.path)
    everywhere(copied, "cat /proc/sys/kernel/tainted", "0\n")
    result = run(copied, "scenarios")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["scenarios/test_76_kernel.py ...*"])
    assert claims(copied)["survived-restart"] == "proven"
    copied.guests[WORKER].says["cat /proc/sys/kernel/tainted"] = (0, "4096\n")
    result = run(copied, "scenarios/test_76_kernel.py", "-k", WORKER, "--fresh")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"kernel of {WORKER}: kernel not tainted: fail: 4096"])
    assert claims(copied)["survived-restart"] == "disproven"


@pytest.mark.same_on_every_system
def test_a_cause_is_one_row(copied: FakeLab) -> None:
    follow("cause", copied.path)
    copied.edit("boot: 20, iso_copy", "boot: 3, iso_copy")
    copied.guests[WORKER].silent |= {"ssh-ready", "boot-complete"}
    copied.guests[WORKER].console = "mce: [Hardware Error]: Machine check events logged\n"
    result = run(copied, "scenarios/test_30_boot.py", "-k", WORKER)
    assert result.ret == 1
    line = f"boot of {WORKER}: ssh login: fail: *the processor reports a hardware error: Machine check events logged*"
    result.stdout.fnmatch_lines([line])


@pytest.mark.same_on_every_system
def test_a_fault_is_one_row(tmp_path: Path) -> None:
    for folder in ("harness", "scenarios", "tests"):
        copy_of(folder, tmp_path)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    follow("fault", tmp_path)
    words = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/faults/test_matrix.py",
        "-k",
        "switched",
    )
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    result = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stdout
    assert "| cloud-init switched off |" in (tmp_path / "reports" / "faults.md").read_text(encoding="utf-8")


def test_a_hypervisor_is_an_executable_that_is_named(fake_lab: FakeLab) -> None:
    vmrun = fake_lab.vmrun.program
    fake_lab.edit(f"      vmrun: ../bin/{vmrun.name}\n", "      vmrun: null\n")
    assert fake_lab.run("scenarios/test_20_creation.py", "-k", WORKER, "--vmrun", str(vmrun)).ret == 0
    assert [call[0] for call in fake_lab.vmrun.calls if WORKER in str(call)] != [], "it was asked for that machine"


def test_every_recipe_of_the_readme_is_followed_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert {match["name"] for match in _BLOCK.finditer(README)} == set(re.findall(r'follow\("([\w-]+)"', source))
