"""The power state of a VM: on, paused, starting, off."""

from __future__ import annotations

import subprocess
import sys

import pytest
from vm_record import record_of

from harness.system.process_identity import alive, identity
from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.state import power


def test_a_vm_is_gone_when_its_supervisor_is() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        record = record_of(supervisor=identity(child.pid))
        assert child.stdin is not None
        child.stdin.close()
        assert power.gone(record, 1.0)
        assert not alive(record["supervisor"])


def test_a_vm_that_is_on_is_not_gone() -> None:
    record = record_of()
    records.save(record)
    assert not power.gone(record, 0.05)


@pytest.mark.parametrize(
    ("phase", "powered", "running"),
    [
        ("starting", "is not powered on", "is not powered on"),
        ("running", "", ""),
        ("paused", "", "is paused"),
    ],
)
def test_each_phase_has_its_answer(phase: str, powered: str, running: str) -> None:
    record = record_of(phase=phase)
    records.save(record)
    for query, refusal in ((power.powered, powered), (power.running, running)):
        if refusal:
            with pytest.raises(Failure, match=refusal):
                query("/vms/a.vmx")
        else:
            assert query("/vms/a.vmx") == record


def test_a_vm_without_a_record_is_off() -> None:
    assert power.settled("/vms/a.vmx") is None
    with pytest.raises(Failure, match="is not powered on"):
        power.powered("/vms/a.vmx")


def test_a_vm_that_is_paused_is_settled() -> None:
    record = record_of(phase="paused")
    records.save(record)
    assert power.settled("/vms/a.vmx") == record
