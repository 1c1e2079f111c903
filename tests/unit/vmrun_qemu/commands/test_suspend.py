"""suspend, pause, unpause."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_agent import in_step, reply
from fake_vm import fake_vm

from harness.system.process_identity import identity
from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import suspend


def test_pause_and_unpause_are_operations_of_the_supervisor(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        assert suspend.pause([vm.vmx], {}) == 0
        vm.enter("paused")
        assert suspend.unpause([vm.vmx], {}) == 0
        assert [operation["operation"] for operation in vm.operations] == ["pause", "unpause"]


def test_a_paused_vm_cannot_be_paused_again(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        vm.enter("paused")
        with pytest.raises(Failure, match="is paused"):
            suspend.pause([vm.vmx], {})


def test_a_soft_suspend_needs_tools(tmp_path: Path) -> None:
    with fake_vm(tmp_path, port_is_open=False) as vm:
        with pytest.raises(Failure, match="Tools are not running"):
            suspend.suspend([vm.vmx, "soft"], {})
        assert vm.operations == []


def with_address(question: dict[str, Any]) -> bytes:
    if question["execute"] != "guest-network-get-interfaces":
        return in_step(question)
    return reply([{"ip-addresses": [{"ip-address": "192.168.6.10", "ip-address-type": "ipv4"}]}])


def test_a_suspended_vm_is_off_and_its_address_is_saved(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as supervisor:

        def powers_off(_operation: Mapping[str, Any]) -> Any:
            records.forget(str(tmp_path / "a.vmx"))
            supervisor.kill()

        with fake_vm(tmp_path, with_address, operation=powers_off) as vm:
            records.save({**vm.record, "supervisor": identity(supervisor.pid)})
            assert suspend.suspend([vm.vmx], {}) == 0
            assert vm.operations == [{"operation": "suspend", "address": "192.168.6.10"}]


def test_a_vm_that_is_off_cannot_be_suspended(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is not powered on"):
        suspend.suspend([str(tmp_path / "a.vmx")], {})
