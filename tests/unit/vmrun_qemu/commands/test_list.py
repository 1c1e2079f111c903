"""The list of running VMs, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from vm_record import record_of

from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.commands.list import list_running


def test_asking_for_the_list_imports_nothing_slow() -> None:
    code = (
        "import sys; from harness.vmrun_qemu.main import main; main(['list']);"
        "slow = ('asyncio', 'psutil', 'qemu.qmp', 'filelock', 'harness.vmware.vmx', 'subprocess');"
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "Total running VMs: 0\n[]\n"


def test_a_vm_that_is_starting_is_not_listed_yet(capsys: pytest.CaptureFixture[str]) -> None:
    record = record_of()
    record["phase"] = "starting"
    records.save(record)
    assert list_running([], {}) == 0
    assert capsys.readouterr().out == "Total running VMs: 0\n"
    record["phase"] = "running"
    records.save(record)
    assert list_running([], {}) == 0
    assert capsys.readouterr().out == "Total running VMs: 1\n/vms/a.vmx\n"
