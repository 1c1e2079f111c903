"""Facts of the operating system."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from harness.preflight import system
from harness.preflight.facts import Daemon, observe
from harness.vmrun.discovery import Kind


@pytest.mark.parametrize(
    ("modules", "running", "seen"),
    [
        ("vmnet 77824 13 - Live 0x0 (OE)\nvmmon 180224 0 - Live 0x0 (OE)\n", True, "loaded"),
        ("vmmon 180224 0 - Live 0x0 (OE)\nvmnetfilter 1 0\n", False, "not loaded: vmnet"),
        ("", False, "not loaded: vmmon, vmnet"),
    ],
)
def test_the_modules_of_the_linux_kernel(modules: str, running: bool, seen: str) -> None:
    assert system.loaded_modules(modules) == Daemon("vmmon and vmnet", running, seen)


def test_a_hypervisor_without_a_daemon_needs_none() -> None:
    assert system.daemon(Kind.EMBEDDED, "win32") == system.daemon(Kind.VMWARE, "darwin") == Daemon()


def test_this_host_has_addresses_and_an_account() -> None:
    assert IPv4Address("127.0.0.1") in {item for found in system.adapter_addresses().values() for item in found}
    assert (system.elevated("linux"), system.session("linux")) == (None, None)
    assert system.account("linux")
    assert observe(lambda: system.daemon(Kind.VMWARE, "linux")).value == Daemon(
        "vmmon and vmnet", running=False, seen="no /etc/vmware", installed=False
    )
