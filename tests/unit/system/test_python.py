"""The working directory is not searched for modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.system.process import run
from harness.system.python import module_command, named_module
from harness.vmrun_qemu.base.process import start_detached


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A working directory with modules of another user, each of which leaves a file when it is run."""
    trap = f"open({str(tmp_path / 'ran')!r}, 'a').close()\nraise SystemExit(3)\n"
    for name in ("json.py", "argparse.py", "harness/__init__.py", "harness/vmrun_qemu/__init__.py", "sitecustomize.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(trap, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("module", ["harness.vmrun_qemu", "harness.vmrun_qemu.vdiskmanager"])
def test_a_module_of_the_working_directory_is_not_run(hostile: Path, module: str) -> None:
    done = run([*module_command(module), "--help"], timeout_s=60, cwd=hostile)
    assert not (hostile / "ran").exists()
    assert done.returncode != 3


@pytest.mark.parametrize("path", [None, "", os.pathsep, os.pathsep + "/nowhere"])
def test_a_daemon_does_not_run_modules_of_its_directory(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    # An empty part of PYTHONPATH means the working directory.
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if path is not None:
        monkeypatch.setenv("PYTHONPATH", path)
    with (hostile / "log").open("ab") as log:
        child = start_detached("harness.vmrun_qemu.vdiskmanager", ["--help"], log, hostile)
        child.communicate(timeout=60)
    assert not (hostile / "ran").exists()


def test_python_itself_would_run_them(hostile: Path) -> None:
    """The trap is one: without `-P` it is sprung."""
    subprocess.run([sys.executable, "-m", "harness.vmrun_qemu"], cwd=hostile, check=False, capture_output=True)
    assert (hostile / "ran").exists()


def test_the_module_is_found_in_its_command() -> None:
    assert named_module(module_command("harness.vmrun_qemu")) == "harness.vmrun_qemu"
    assert named_module(("python", "-m", "http.server", "0")) == "http.server"
    assert named_module(("/usr/bin/vmrun", "list")) is None
    assert named_module(("python", "-P", "-m")) is None
