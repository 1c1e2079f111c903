"""Facts of this Windows, and the commands from end to end.

Windows registry, services, session and rights.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from needs import under_wine

from harness.preflight import system
from harness.preflight.facts import Daemon, observe
from harness.preflight.judge_system import NOT_INSTALLED
from harness.system.process import Completed, run
from harness.system.windows.registry import this_registry
from harness.system.windows.vmware_install import Product, installed_products, network_subnet
from harness.vmrun.discovery import Kind

REPOSITORY = Path(__file__).parents[2]
LAB = "from harness.cli.main import main; main()"


def test_the_session_and_the_account_of_this_process() -> None:
    session = system.session("win32")
    assert session is not None
    assert session.sid.startswith("S-1-5-")
    assert not session.is_service
    assert system.account("win32") == f"*{session.sid}"
    assert system.elevated("win32") in (True, False)


def test_a_value_of_windows_own_and_one_that_is_not_there() -> None:
    key = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    assert "Windows" in str(this_registry().value(key, "ProductName"))
    assert this_registry().value(key, "no such value") is None
    assert this_registry().value(r"SOFTWARE\no such key", "x") is None


@pytest.mark.skipif(not under_wine(), reason="a real registry is left as it is")
def test_what_vmwares_installer_writes_is_read() -> None:
    winreg: Any = importlib.import_module("winreg")
    vendor = r"SOFTWARE\WOW6432Node\VMware, Inc."
    written = {
        rf"{vendor}\VMware Workstation": {"InstallPath": "C:\\VMware\\", "ProductVersion": "17.6.3.24583834"},
        rf"{vendor}\VMnetLib\VMnetConfig\vmnet1": {"IPSubnetAddress": "192.168.6.0", "IPSubnetMask": "255.255.255.0"},
    }
    try:
        for key, values in written.items():
            with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                for name, value in values.items():
                    winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)
        product = Product("VMware Workstation", "17.6.3.24583834", "C:\\VMware\\")
        assert installed_products(this_registry()) == (product,)
        assert str(network_subnet(this_registry(), "VMnet1")) == "192.168.6.0/24"
    finally:
        for key in written:
            winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, key)
    assert installed_products(this_registry()) == ()


def test_a_service_that_runs_and_one_that_does_not() -> None:
    for name, running in (("RpcSs", True), ("Spooler", False) if under_wine() else ("RpcSs", True)):
        assert system.daemon(Kind.VMWARE, "win32", name).running is running
    assert observe(lambda: system.daemon(Kind.VMWARE, "win32", "no such service")).value == Daemon(
        "no such service", running=False, seen="no such service", installed=False
    )


def lab(*words: str, **variables: str) -> Completed:
    return run((sys.executable, "-c", LAB, *words), timeout_s=120, cwd=REPOSITORY, env=variables)


def stand_in(folder: Path) -> Path:
    """Write both of VMware's programs as batch files.

    `vmrun` knows its list and its networks.
    """
    answers = {
        "list": "Total running VMs: 0\n",
        "listHostNetworks": "Total host networks: 1\nINDEX  NAME  TYPE  DHCP  SUBNET  MASK\n"
        "1  vmnet1  hostOnly  true  192.168.6.0  255.255.255.0\n",
    }
    text = f"import sys; print({answers!r}.get(sys.argv[-1], 'vmrun version 1.17.0 build-24583834'))"
    (folder / "stand-in.py").write_text(text, encoding="utf-8")
    for name in ("vmrun.bat", "vmware-vdiskmanager.bat"):
        (folder / name).write_text(f'@"{sys.executable}" -IS "{folder / "stand-in.py"}" %*\n', encoding="utf-8")
    return folder / "vmrun.bat"


def test_lab_plan_shows_the_reference_lab(tmp_path: Path) -> None:
    done = lab("plan", VMRUN_PATH=str(stand_in(tmp_path)))
    assert done.returncode == 0, done.output
    assert r"F:\VMs\AirgapLab\k3s-master1\k3s-master1.vmx" in done.stdout
    assert "192.168.6.10:22" in done.stdout


def test_lab_doctor_judges_this_windows(tmp_path: Path) -> None:
    done = lab("doctor", VMRUN_PATH=str(stand_in(tmp_path)), LAB_CACHE_DIR=str(tmp_path / "cache"))
    assert "Traceback" not in done.output
    shown = {line.strip() for line in done.stdout.splitlines()}
    for check in ("rights", "desktop session", "VMware service", "vmrun answers", "network", "subnet", "host address"):
        assert any(check in line for line in shown), check
    assert NOT_INSTALLED in done.stdout
    assert "icacls" not in done.stdout or os.environ.get("USERNAME", "") not in done.stdout.partition("icacls")[2][:200]


def test_output_is_utf_8_whatever_the_code_page(tmp_path: Path) -> None:
    lab_file = tmp_path / "실습" / "lab.yaml"
    done = lab("plan", "--lab", str(lab_file), PYTHONIOENCODING="cp949")
    assert done.returncode == 4
    assert str(lab_file) in done.stderr
