"""connectNamedDevice and disconnectNamedDevice."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_vm import fake_vm, refuses_all

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import device


def test_the_supervisor_connects_and_disconnects(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        assert device.connect([vm.vmx, "sata0:1"], {}) == 0
        assert device.disconnect([vm.vmx, "ethernet0"], {}) == 0
        assert vm.operations == [
            {"operation": "plug", "device": "sata0:1", "connected": True},
            {"operation": "plug", "device": "ethernet0", "connected": False},
        ]


def test_its_failure_is_the_commands(tmp_path: Path) -> None:
    with fake_vm(tmp_path, operation=refuses_all) as vm, pytest.raises(Failure, match=r"^cannot plug$"):
        device.connect([vm.vmx, "sata0:1"], {})


def test_a_vm_that_is_off_has_no_devices(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is not powered on"):
        device.connect([str(tmp_path / "a.vmx"), "sata0:1"], {})
