"""A home of its own for each test, and the proof that the test left nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from qemu_lab import Vmrun, eventually


@pytest.fixture
def vmrun(tmp_path: Path) -> Iterator[Vmrun]:
    if shutil.which("qemu-system-x86_64") is None or shutil.which("qemu-img") is None:
        pytest.skip("qemu-system-x86_64 and qemu-img are not installed")
    program = Vmrun(tmp_path / "home", tmp_path / "vms")
    yield program
    for path in program.ok("list").splitlines()[1:]:
        program("stop", path, "hard")
    assert eventually(lambda: program.processes() == []), program.processes()
    assert list(program.vms.rglob("*.lck")) == []
    assert list(program.home.glob("vm/*/record.json")) == []
    assert list(program.home.glob("net/*/switch.json")) == []
