"""Judgement of the facts of the operating system."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import PureWindowsPath

import pytest

from harness.core.verdict import Check, Status
from harness.preflight import system
from harness.preflight.checks import error_class
from harness.preflight.facts import Daemon, Fact, HostFacts
from harness.preflight.judge import judge_all
from harness.preflight.judge_system import NOT_INSTALLED
from harness.system.windows.drives import Drive
from harness.system.windows.logon_session import Session
from harness.system.windows.vmware_install import Product
from harness.vmrun.discovery import Kind
from preflight.samples import good_facts, plan_of

PLAN = plan_of(overlay=None)
WINDOWS = good_facts(PLAN, platform="win32", kind=Kind.VMWARE)
USER = "S-1-5-21-1-2-3-1001"


def check(name: str, facts: HostFacts) -> Check:
    found = {item.name: item for item in judge_all(PLAN, facts)}[name]
    assert found.status is Status.PASS or found.remedy.startswith(f"[{error_class(name)}] ")
    return found


@pytest.mark.parametrize(
    ("session", "status", "seen"),
    [
        (Session(1, USER), Status.PASS, f"session 1 of {USER}"),
        (Session(0, USER), Status.FAIL, f"session 0 of {USER}"),
        (Session(0, "S-1-5-18"), Status.FAIL, "session 0 of LocalSystem"),
        (Session(2, "S-1-5-20"), Status.FAIL, "session 2 of NetworkService"),
    ],
)
def test_a_service_sees_no_machine_and_a_desktop_does(session: Session, status: Status, seen: str) -> None:
    found = check("desktop session", replace(WINDOWS, session=Fact(session)))
    assert (found.status, found.seen) == (status, seen)
    if status is Status.FAIL:
        assert "`vmrun list` shows a service none" in found.remedy
        assert "run.cmd" in found.remedy


def test_an_unknown_session_is_not_proven() -> None:
    assert check("desktop session", replace(WINDOWS, session=Fact(problem="?"))).status is Status.NOT_PROVEN


def test_vmwares_service_has_to_run_and_vmrun_that_fails_for_it_names_it() -> None:
    stopped = replace(WINDOWS, daemon=Fact(Daemon(system.AUTHORIZATION_SERVICE, running=False, seen="stopped")))
    found = check("VMware service", stopped)
    assert (found.status, found.seen) == (Status.FAIL, "stopped")
    assert "net start VMAuthdService" in found.remedy
    assert "vmware-modconfig" in check("VMware service", replace(stopped, platform="linux")).remedy
    assert check("VMware service", replace(WINDOWS, daemon=Fact(problem="?"))).status is Status.NOT_PROVEN
    there = (Product("VMware Workstation", "17.6.3", r"C:\VMware"),)
    gone = Fact(Daemon(system.AUTHORIZATION_SERVICE, running=False, seen="no such service", installed=False))
    broken = check("VMware service", replace(WINDOWS, daemon=gone, products=there))
    assert (broken.status, broken.seen) == (Status.FAIL, "no such service")
    assert "run its installer again" in broken.remedy
    stranger = check("VMware service", replace(WINDOWS, daemon=gone))
    assert (stranger.status, stranger.seen) == (Status.PASS, f"{NOT_INSTALLED} (no such service)")
    silent = replace(stopped, running=Fact(problem="Unable to connect to host"))
    assert check("vmrun answers", silent).status is Status.BLOCKED


def test_the_host_has_an_address_in_the_network_and_it_is_no_machines() -> None:
    away = replace(WINDOWS, addresses=Fact({"Ethernet": (IPv4Address("10.0.0.5"),)}))
    found = check("host address", away)
    assert (found.status, found.seen) == (Status.FAIL, "none of 10.0.0.5")
    assert 'name="VMware Network Adapter VMnet1" static 192.168.6.1 255.255.255.0' in found.remedy
    assert "vmware-networks" in check("host address", replace(away, platform="linux")).remedy
    same = replace(WINDOWS, addresses=Fact({"VMnet1": (IPv4Address("192.168.6.11"),)}))
    assert check("host address", same).seen == "the host has a machine's address: 192.168.6.11"
    assert check("host address", same).status is Status.FAIL
    assert "the host is not in it" not in check("host address", same).remedy
    assert check("host address", WINDOWS).seen == "192.168.6.1 of VMware Network Adapter VMnet1"


def test_guests_behind_forwarded_ports_need_no_address_of_the_host() -> None:
    plan = plan_of()
    facts = replace(good_facts(plan), addresses=Fact({}))
    assert {item.name: item for item in judge_all(plan, facts)}["host address"].status is Status.PASS


def test_a_directory_too_deep_for_vmware_on_windows() -> None:
    deep = replace(PLAN, vm_directory=PureWindowsPath("F:/" + "d" * 201))  # type: ignore[arg-type]  # only its text counts
    just = replace(PLAN, vm_directory=PureWindowsPath("F:/" + "d" * 200))  # type: ignore[arg-type]  # as above
    assert {item.name: item for item in judge_all(just, WINDOWS)}["path lengths"].status is Status.PASS
    paths = {item.name: item for item in judge_all(deep, WINDOWS)}["path lengths"]
    assert paths.status is Status.FAIL
    assert "vm_directory" in paths.remedy
    assert paths.seen.startswith(f"{len(paths.seen.partition(': ')[2])} characters: F:")
    enabled = {item.name: item for item in judge_all(deep, replace(WINDOWS, long_paths=True))}["path lengths"]
    assert enabled.status is Status.NOT_PROVEN
    assert check("path lengths", WINDOWS).status is Status.PASS


def test_a_drive_that_does_not_exist_is_the_reason_and_no_right_is_to_be_granted() -> None:
    nowhere = replace(
        WINDOWS,
        drives=Fact((Drive("C:", "", 58), Drive("D:", "CD", None))),
        writable=Fact[bool](problem="[Errno 20] Not a directory: 'F:\\\\VMs'"),
        free_disk_mib=Fact[int](problem="F:\\VMs does not exist"),
    )
    found = check("VM directory writable", nowhere)
    assert found.status is Status.FAIL
    assert found.seen.startswith("drive F: does not exist; present: C: 58 GiB free, D: (CD); mapped drives")
    assert "icacls" not in found.remedy
    assert "vm_directory" in found.remedy
    assert check("free disk space", nowhere).status is Status.BLOCKED
    here = replace(nowhere, drives=Fact((Drive("F:", "", 58),)))
    assert "icacls" in check("VM directory writable", here).remedy


def test_installed_products_are_shown_with_vmrun() -> None:
    product = Product("VMware Workstation", "17.6.3.24583834", r"C:\Program Files (x86)\VMware\VMware Workstation")
    assert "17.6.3.24583834 in C:" in check("hypervisor", replace(WINDOWS, products=(product,))).seen
