"""What the log says of a host that fails under a running VM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.guest.diagnosis import Source, diagnose
from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.qemu import qmp
from harness.vmrun_qemu.supervisor.host_watch import HostWatch
from harness.vmrun_qemu.supervisor.running_vm import RunningVm

from .test_running_vm import running_vm


class Host:
    """A host whose network and disks are as a test sets them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.network_up = True
        self.status = "running"
        self.blocks: list[dict[str, Any]] = []
        self.asked = 0
        monkeypatch.setattr(switch, "load", lambda _: {"qmp": ""} if self.network_up else None)
        monkeypatch.setattr(qmp, "ask", self._ask)

    def _ask(self, _: str, command: tuple[str, object], *, timeout_s: float) -> list[Any]:
        self.asked += 1
        if self.status == "gone":
            raise qmp.QmpError("QEMU does not run")
        return [{"status": self.status}] if command[0] == "query-status" else [self.blocks]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


@pytest.fixture
def vm(tmp_path: Path) -> RunningVm:
    vm = running_vm(tmp_path)
    vm.enter("running")
    vm.record["plugs"] = [{"nic": "ethernet0", "vmnet": "vmnet1", "endpoint": ""}]
    return vm


def logged(vm: RunningVm) -> str:
    return vm.log.path.read_text(encoding="utf-8") if vm.log.path.exists() else ""


def test_a_healthy_host_is_not_mentioned(host: Host, vm: RunningVm) -> None:
    HostWatch(vm).look()
    host.status = "gone"
    HostWatch(vm).look()
    assert logged(vm) == ""


def test_a_full_disk_is_logged_once_and_known_as_the_hosts_fault(host: Host, vm: RunningVm) -> None:
    host.status, host.blocks = "io-error", [{"io-status": "nospace", "inserted": {"file": "/vms/a.vmdk"}}, {}]
    watch = HostWatch(vm)
    watch.look()
    watch.look()
    assert logged(vm).count("There is no more space for virtual disk /vms/a.vmdk.") == 1
    found = diagnose(logged(vm), Source.HYPERVISOR)
    assert found is not None
    assert (found.cause, found.fatal, found.host) == ("the host's disk is full", True, True)


def test_another_disk_error_is_not_called_a_full_disk(host: Host, vm: RunningVm) -> None:
    host.status, host.blocks = "io-error", [{"io-status": "failed", "qdev": "sata0:0"}]
    HostWatch(vm).look()
    found = diagnose(logged(vm), Source.HYPERVISOR)
    assert found is not None
    assert (found.cause, found.host) == ("the host cannot read or write the virtual disk sata0:0", True)


def test_a_network_without_its_daemon_is_logged_again_after_it_was_back(host: Host, vm: RunningVm) -> None:
    watch = HostWatch(vm)
    for host.network_up in (False, False, True, False):
        watch.look()
    assert logged(vm).count("The virtual network vmnet1 is down: its daemon ended.") == 2
    found = diagnose(logged(vm), Source.HYPERVISOR)
    assert found is not None
    assert found.cause == "the virtual network vmnet1 is down: its process on the host ended"


@pytest.mark.parametrize("phase", ["starting", "paused", "stopping"])
def test_a_vm_that_does_not_run_is_not_asked(host: Host, vm: RunningVm, phase: str) -> None:
    vm.enter(phase)
    HostWatch(vm).look()
    assert (host.asked, logged(vm)) == (0, "")
