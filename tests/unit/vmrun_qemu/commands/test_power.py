"""start, stop, reset: which of them reach QEMU and the guest."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from fake_agent import in_step
from fake_vm import fake_vm

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import power


def test_a_vm_that_is_on_is_left_as_it_is(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        assert power.start([vm.vmx, "nogui"], {}) == 0
        vm.enter("paused")
        with pytest.raises(Failure, match="is paused"):
            power.start([vm.vmx, "nogui"], {})
        assert vm.qemu.names == []


def test_a_start_that_fails_reports_why(tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.write_text("not a vmx\n", encoding="utf-8")
    with pytest.raises(Failure, match="Cannot read the virtual machine configuration file"):
        power.start([str(vmx), "nogui"], {})


def test_a_window_needs_a_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(Failure, match="no display server"):
        power.start([str(tmp_path / "a.vmx"), "gui"], {})


def test_a_hard_reset_is_qemus_and_a_soft_one_the_guests(tmp_path: Path) -> None:
    restarts = threading.Event()

    def notes(question: dict[str, Any]) -> bytes:
        if question["execute"] == "guest-shutdown" and question["arguments"] == {"mode": "reboot"}:
            restarts.set()
        return in_step(question)

    with fake_vm(tmp_path, notes) as vm:
        assert power.reset([vm.vmx], {}) == 0
        assert vm.qemu.names == ["system_reset"]
        assert not restarts.is_set()
        assert power.reset([vm.vmx, "soft"], {}) == 0
        assert restarts.wait(10)  # the command has no answer to wait for
        assert vm.qemu.names == ["system_reset"]


def test_the_vmx_has_the_default_of_the_mode(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        Path(vm.vmx).write_text('powerType.reset = "soft"\n', encoding="utf-8")
        assert power.power_mode(vm.record, [vm.vmx], "powerType.reset") == "soft"
        assert power.power_mode(vm.record, [vm.vmx], "powerType.suspend") == "hard"
        assert power.power_mode(vm.record, [vm.vmx, "HARD"], "powerType.reset") == "hard"
        with pytest.raises(Failure, match="One of the parameters was invalid: maybe"):
            power.power_mode(vm.record, [vm.vmx, "maybe"], "powerType.reset")


def test_without_an_agent_a_soft_stop_pushes_the_power_button(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_SOFT_STOP_S", "0.1")
    with fake_vm(tmp_path, port_is_open=False) as vm:
        with pytest.raises(Failure, match="A timeout error occurred"):
            power.stop([vm.vmx, "soft"], {})
        assert vm.qemu.names == ["system_powerdown"]


def test_without_an_agent_there_is_no_soft_reset(tmp_path: Path) -> None:
    with fake_vm(tmp_path, port_is_open=False) as vm, pytest.raises(Failure, match="Tools are not running"):
        power.reset([vm.vmx, "soft"], {})
