"""The lab of this repository in its own directory, with its commands and leftovers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from leftovers import processes

REPOSITORY = Path(__file__).parents[2]
MACHINE = "k3s-master1"
LIMIT_S = 1800

asked_for = pytest.mark.skipif(not os.environ.get("LAB_E2E"), reason="takes minutes: LAB_E2E=1 asks for it")


def copy_scenarios(folder: Path) -> None:
    """Create the folder of a lab with the scenarios in it."""
    folder.mkdir(exist_ok=True)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    shutil.copytree(REPOSITORY / "scenarios", folder / "scenarios", ignore=shutil.ignore_patterns("__pycache__"))


def make_lab(folder: Path) -> None:
    """Create the scenarios, the seeds, and a decoy in a machine's place."""
    copy_scenarios(folder)
    foreign = decoy(folder)
    foreign.parent.mkdir(parents=True)
    foreign.write_text("not this lab's")
    done = command(folder, "setup")
    assert done.returncode == 0, done.stderr


def decoy(folder: Path) -> Path:
    return folder / ".lab" / "vms" / MACHINE / "thesis.docx"


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", "from harness.cli.main import main; main()", *words]
    return subprocess.run(argv, cwd=folder, timeout=LIMIT_S, capture_output=True, text=True, check=False)


def run(folder: Path, *options: str, machine: str | None = MACHINE) -> subprocess.Popen[bytes]:
    """Start pytest on one machine of the lab, or on all, writing `pytest.log`."""
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "scenarios", "--vmrun", "embedded"]
    with (folder / "pytest.log").open("ab") as log:
        chosen = ["-k", machine] if machine else []
        return subprocess.Popen([*argv, *chosen, *options], cwd=folder, stdout=log, stderr=log)


def output_tail(folder: Path) -> str:
    """Return the end of pytest's output."""
    return (folder / "pytest.log").read_text(encoding="utf-8", errors="replace")[-5000:]


def left(folder: Path) -> list[str]:
    """Return remaining files and processes of the lab.

    The decoy and the seeds do not count.
    """
    files = [path.relative_to(folder).as_posix() for path in (folder / ".lab").rglob("*") if path.is_file()]
    kept = decoy(folder).relative_to(folder).as_posix()
    return [name for name in files if not name.startswith(".lab/seeds/") and name != kept] + processes(folder)
