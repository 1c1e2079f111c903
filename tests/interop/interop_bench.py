"""Third-party programs for VMware's tools, run with ours in their place.

Test modules import `bench_fixture` for pytest to find it. A program that is not installed is skipped with the way to
have it; `.ci/run` installs them all, and sets `INTEROP_REQUIRED`, with which a missing one is a failure.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
from vmrun_contract.live import LiveBench
from vmrun_contract.machines import Mould

from harness.core.errors import HarnessError
from harness.vmrun.discovery import EMBEDDED, find_hypervisor

VMWARE_VERSION = "VMware Workstation 17.6.3 build-24583834"
_SCRIPTS = {
    "vmrun": '#!/bin/sh\nexec "{python}" -m harness.vmrun_qemu "$@"\n',
    "vmware-vdiskmanager": '#!/bin/sh\nexec "{python}" -m harness.vmrun_qemu.vdiskmanager "$@"\n',
    "vmware": f"#!/bin/sh\necho '{VMWARE_VERSION}'\n",  # libvirt asks it for its version
}


def package(name: str, module: str) -> ModuleType:
    """Return a module of a package from PyPI, or skip."""
    try:
        return importlib.import_module(module)
    except ImportError:
        _missing(name, "pip install -e '.[interop]'")


def program(name: str, debian_package: str) -> str:
    """Return the path of a program of Debian, or skip."""
    return shutil.which(name) or _missing(name, f"apt-get install {debian_package}")


def _missing(name: str, remedy: str) -> NoReturn:
    text = f"{name} is not installed: {remedy}"
    if os.environ.get("INTEROP_REQUIRED"):
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


@contextlib.contextmanager
def as_it_is() -> Iterator[None]:
    """Let others' modules warn, and forget to close files, as they like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
        gc.collect()


@pytest.fixture(name="bench")
def bench_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveBench]:
    """A bench with machines; `vmrun` on PATH is `vmrun-qemu`.

    Nothing is left afterwards.
    """
    if sys.platform == "win32":
        pytest.skip("the programs that others wrote are tried on POSIX systems")
    try:
        hypervisor = find_hypervisor(option=EMBEDDED)
    except HarnessError as error:
        pytest.skip(f"no vmrun-qemu: {error.what}")
    for variable in [key for key in os.environ if key.startswith(("VMRUN_QEMU_", "DISPLAY", "WAYLAND_DISPLAY"))]:
        monkeypatch.delenv(variable)
    bench = LiveBench.fresh("vmrun-qemu", hypervisor, tmp_path / "bench", Mould(hypervisor, tmp_path / "mould"))
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in _SCRIPTS.items():
        (programs / name).write_text(script.format(python=sys.executable), encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("VMRUN_QEMU_ACCEL", "tcg")
    for key, value in bench.env.items():
        monkeypatch.setenv(key, value)
    yield bench
    assert bench.close() == []
