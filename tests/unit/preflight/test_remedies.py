"""Remedies are commands of the host's own operating system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.preflight import remedies
from harness.system.windows.vmware_install import Product
from harness.vmrun.discovery import Kind
from preflight.samples import good_facts, plan_of

PROVIDED = plan_of(overlay=None)
FACTS = good_facts(PROVIDED, platform="linux", kind=Kind.VMWARE)


@pytest.mark.parametrize(
    ("platform", "command"),
    [("win32", "net start VMAuthdService"), ("linux", "vmware-modconfig"), ("darwin", "VMware Fusion")],
)
def test_a_silent_vmrun_has_the_command_of_the_platform(platform: str, command: str) -> None:
    text = remedies.vmrun_not_answering(Kind.VMWARE, platform, "vmrun")
    assert command in text
    assert "list" in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("platform", "command"), [("win32", "icacls"), ("linux", "chmod 600"), ("darwin", "chmod 600")]
)
def test_the_key_is_restricted_by_the_tools_of_the_platform(platform: str, command: str) -> None:
    assert command in remedies.key_open(platform, "user", Path("/seeds/id_ed25519"))


@pytest.mark.parametrize("platform", ["win32", "linux", "darwin"])
def test_a_missing_network_is_defined_with_its_name_and_subnet(platform: str) -> None:
    text = remedies.network_missing(PROVIDED, replace(FACTS, platform=platform))
    assert "192.168.6.0" in text
    assert "vmnet1" in text.lower() or "VNET_1_" in text


def test_the_network_editor_of_the_installed_product_is_named() -> None:
    products = (Product("VMware Workstation", "17.6.3", "D:\\VMware\\"),)
    text = remedies.network_missing(PROVIDED, replace(FACTS, platform="win32", products=products))
    assert '"D:\\VMware\\vnetlib64.exe"' in text


OLD = Product("VMware Workstation", "17.6.4", "C:\\Program Files (x86)\\VMware\\VMware Workstation\\")
NEW = Product("VMware Workstation", "26.0.0", "C:\\Program Files\\VMware\\VMware Workstation\\")


@pytest.mark.parametrize(
    ("vmrun", "products", "folder"),
    [
        (NEW.folder + "vmrun.exe", (OLD, NEW), NEW.folder),
        (OLD.folder + "vmrun.exe", (NEW, OLD), OLD.folder),
        ("E:\\tools\\vmrun.exe", (OLD,), "E:\\tools\\"),
        ("C:\\Program Files (x86)\\VMware\\VMware VIX\\vmrun.exe", (OLD,), OLD.folder),
    ],
)
def test_the_network_tools_are_those_beside_the_vmrun_that_was_taken(
    vmrun: str, products: tuple[Product, ...], folder: str
) -> None:
    facts = replace(FACTS, platform="win32", products=products, vmrun=vmrun)
    text = remedies.network_missing(PROVIDED, facts)
    programs = [line for line in text.splitlines() if ".exe" in line]
    assert len(programs) >= 5
    assert all(f'"{folder}' in line for line in programs), text


def test_the_network_editor_comes_before_the_commands_and_the_host_gets_its_address() -> None:
    text = remedies.network_missing(PROVIDED, replace(FACTS, platform="win32", vmrun=NEW.folder + "vmrun.exe"))
    words = [
        "vmnetcfg.exe",
        "Change Settings",
        "VMnet1",
        "Host-only",
        "Subnet IP 192.168.6.0",
        "Apply",
        "vnetlib64.exe",
    ]
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert "set adapter vmnet1 addr 192.168.6.1" in text
    assert "no output is normal" in text
    assert text.splitlines()[-1].startswith("then run: lab doctor")


def test_a_runner_that_is_a_service_is_stopped_by_commands_that_windows_has() -> None:
    text = remedies.desktop_session()
    assert 'Stop-Service "actions.runner.*"' in text
    assert ".\\run.cmd" in text
    assert "svc.cmd" not in text


def test_a_command_of_the_lab_names_its_lab_file_and_an_overlay_that_is_not_the_default() -> None:
    assert remedies.lab_command("seed", plan_of()) == f'lab seed --lab "{plan_of().lab_file}"'
    assert remedies.lab_command("down", replace(PROVIDED, overlay="small")).endswith(" --overlay small")


def test_seeds_that_are_provided_are_not_built() -> None:
    assert "lab seed" not in remedies.seeds_missing(PROVIDED)
    assert "lab seed" in remedies.seeds_missing(plan_of())
    assert "lab seed" not in remedies.key_missing(PROVIDED)
