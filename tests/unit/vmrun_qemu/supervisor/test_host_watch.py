"""What the log says of a host that fails under a running VM."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_qmp import RefusedError, fake_qmp

from harness.guest.diagnosis import Source, diagnose
from harness.system import process_identity
from harness.system.process_identity import Identity
from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.supervisor.host_watch import HostWatch
from harness.vmrun_qemu.supervisor.running_vm import RunningVm

from .test_running_vm import running_vm


class Host:
    """A host whose network and disks are as a test sets them."""

    def __init__(self) -> None:
        self.status = "running"
        self.blocks: list[dict[str, Any]] = []
        self.asked = 0
        self.set_network(up=True)

    def set_network(self, *, up: bool) -> None:
        none: Identity = {"pid": 0, "created": 0.0}
        daemon = process_identity.identity(os.getpid()) if up else none
        switch.save("vmnet1", {"daemon": daemon, "qemu": none, "qmp": "", "socket_dir": "", "subnet": ""})

    def answer(self, command: str, _: object) -> Any:
        self.asked += 1
        if self.status == "gone":
            raise RefusedError("QEMU ends")
        return {"status": self.status} if command == "query-status" else self.blocks


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def vm(host: Host, tmp_path: Path) -> Iterator[RunningVm]:
    vm = running_vm(tmp_path)
    vm.enter("running")
    vm.record["plugs"] = [{"nic": "ethernet0", "vmnet": "vmnet1", "endpoint": ""}]
    with fake_qmp(host.answer) as qemu:
        vm.record["qmp"] = qemu.address
        yield vm


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
    for up in (False, False, True, False):
        host.set_network(up=up)
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


def test_what_has_passed_ends_no_wait(host: Host, vm: RunningVm) -> None:
    watch = HostWatch(vm)
    host.set_network(up=False)
    host.status, host.blocks = "io-error", [{"io-status": "nospace", "qdev": "sata0:0"}]
    watch.look()
    host.status = "gone"
    watch.look()
    assert diagnose(logged(vm), Source.HYPERVISOR) is not None
    host.set_network(up=True)
    host.status, host.blocks = "running", []
    watch.look()
    assert diagnose(logged(vm), Source.HYPERVISOR) is None, "an old line would end each later wait"
    host.status, host.blocks = "io-error", [{"io-status": "failed", "qdev": "sata0:0"}]
    watch.look()
    assert diagnose(logged(vm), Source.HYPERVISOR) is not None
