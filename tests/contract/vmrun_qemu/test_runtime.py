"""Changes of a running machine that its next power-on undoes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qemu_lab import Vmrun, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.vmrun_qemu.qemu import qmp

NO_DEVICE = (255, "Error: The specified device was not found\n")
NOT_SUPPORTED = (255, "Error: The operation is not supported\n")


def ask(vmrun: Vmrun, vmx: Path, command: str) -> Any:
    return qmp.ask(vmrun.record(vmx)["qmp"], (command, {}))[0]


def medium(vmrun: Vmrun, vmx: Path, name: str = "sata0:1") -> str:
    """Return the file in the CD drive."""
    blocks = ask(vmrun, vmx, "query-block")
    (drive,) = [block for block in blocks if block["qdev"].endswith(name.replace(":", "-"))]
    return Path(drive["inserted"]["file"]).name if "inserted" in drive else ""


def console(vmrun: Vmrun, vmx: Path) -> str:
    (port,) = [port for port in ask(vmrun, vmx, "query-chardev") if port["label"] == "serial0"]
    return str(port["filename"])


def with_cd(vmrun: Vmrun, *, connected: bool) -> Path:
    vmx = vmrun.machine("one", f'sata0:1.startConnected = "{str(connected).upper()}"\n')
    for name in ("one.iso", "two.iso"):
        (vmx.parent / name).write_bytes(bytes(2048 * 20))
    vmrun.ok("start", vmx, "nogui")
    return vmx


@pytest.mark.parametrize("connected", [True, False])
def test_the_cd_goes_and_comes_until_power_off(vmrun: Vmrun, connected: bool) -> None:
    vmx = with_cd(vmrun, connected=connected)
    at_power_on = "one.iso" if connected else ""
    assert medium(vmrun, vmx) == at_power_on
    for _ in range(2):
        assert vmrun("connectNamedDevice", vmx, "SATA0:1") == (0, "")
        assert medium(vmrun, vmx) == "one.iso"
    for _ in range(2):
        assert vmrun("disconnectNamedDevice", vmx, "sata0:1") == (0, "")
        assert medium(vmrun, vmx) == ""
    vmrun.ok("connectNamedDevice", vmx, "sata0:1")
    assert medium(vmrun, vmx) == "one.iso"
    vmrun.ok("disconnectNamedDevice" if connected else "connectNamedDevice", vmx, "sata0:1")
    vmrun.ok("stop", vmx, "hard")
    vmrun.ok("start", vmx, "nogui")
    assert medium(vmrun, vmx) == at_power_on


def test_drives_of_every_bus(vmrun: Vmrun) -> None:
    places = ["ide1:0", "scsi0:3"]
    lines = [f'{place}.present = "TRUE"\n{place}.deviceType = "cdrom-image"\n' for place in places]
    lines += [f'{place}.fileName = "one.iso"\n' for place in places]
    vmx = vmrun.machine("one", 'scsi0.present = "TRUE"\n' + "".join(lines))
    (vmx.parent / "one.iso").write_bytes(bytes(2048 * 20))
    vmrun.ok("start", vmx, "nogui")
    for place in places:
        assert medium(vmrun, vmx, place) == "one.iso"
        vmrun.ok("disconnectNamedDevice", vmx, place)
        assert medium(vmrun, vmx, place) == ""
        vmrun.ok("connectNamedDevice", vmx, place)
        assert medium(vmrun, vmx, place) == "one.iso"


def test_another_cd_is_put_in_by_way_of_a_variable(vmrun: Vmrun) -> None:
    vmx = with_cd(vmrun, connected=True)
    vmrun.ok("writeVariable", vmx, "runtimeConfig", "sata0:1.fileName", "two.iso")
    vmrun.ok("disconnectNamedDevice", vmx, "sata0:1")
    vmrun.ok("connectNamedDevice", vmx, "sata0:1")
    assert medium(vmrun, vmx) == "two.iso"
    (vmx.parent / "two.iso").unlink()
    vmrun.ok("disconnectNamedDevice", vmx, "sata0:1")
    assert vmrun("connectNamedDevice", vmx, "sata0:1") == (255, "Error: A file was not found\n")


def test_a_serial_port_is_pulled_and_put_back(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    assert console(vmrun, vmx).startswith("file")
    vmrun.ok("disconnectNamedDevice", vmx, "serial0")
    assert console(vmrun, vmx) == "null"
    vmrun.ok("connectNamedDevice", vmx, "serial0")
    assert console(vmrun, vmx).startswith("file")


def test_what_cannot_be_plugged(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one", 'ethernet1.present = "TRUE"\nethernet1.connectionType = "bridged"\n')
    vmrun.ok("start", vmx, "nogui")
    for device in ("sata0:2", "sata9:9", "sound", "usb_xhci:4", "ethernet2", "floppy0", ""):
        assert vmrun("disconnectNamedDevice", vmx, device) == NO_DEVICE, device
    assert vmrun("disconnectNamedDevice", vmx, "sata0:0") == NOT_SUPPORTED
    assert vmrun("connectNamedDevice", vmx, "ethernet1") == NOT_SUPPORTED
    vmrun.ok("pause", vmx)
    assert vmrun("disconnectNamedDevice", vmx, "ethernet0") == (255, f"Error: The virtual machine is paused: {vmx}\n")
    vmrun.ok("unpause", vmx)
    vmrun.ok("stop", vmx, "hard")
    off = (255, f"Error: The virtual machine is not powered on: {vmx}\n")
    assert vmrun("connectNamedDevice", vmx, "ethernet0") == off
    assert vmrun("readVariable", vmx, "guestVar", "x") == off
    assert vmrun("installTools", vmx) == off
    assert vmrun("enableSharedFolders", vmx) == off


def test_variables_are_read_from_the_vmx_and_written_until_power_off(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one", 'guestinfo.colour = "green"\n')
    vmrun.ok("start", vmx, "nogui")

    def read(*words: str) -> str:
        return vmrun.ok("readVariable", vmx, *words)

    assert read("runtimeConfig", "DISPLAYNAME") == "one\n"
    assert read("runtimeconfig", "no.such.key") == "\n"
    assert read("guestVar", "colour") == read("guestVar", "guestinfo.colour") == "green\n"
    assert vmrun("writeVariable", vmx, "guestVar", "colour", "red = |22") == (0, "")
    assert read("guestVar", "guestinfo.Colour") == read("runtimeConfig", "guestinfo.colour") == "red = |22\n"
    assert read("guestVar", "ip") == "\n"
    wrong = (255, "Error: One of the parameters was invalid: nvram\n")
    assert vmrun("readVariable", vmx, "nvram", "x") == wrong
    assert vmrun("writeVariable", vmx, "nvram", "x", "y") == wrong
    vmrun.ok("stop", vmx, "hard")
    vmrun.ok("start", vmx, "nogui")
    assert read("guestVar", "colour") == "green\n"


def test_verbs_that_need_tools_say_so_first(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    silent = (255, f"Error: The VMware Tools are not running in the virtual machine: {vmx}\n")
    verbs: list[list[str | Path]] = [
        ["enableSharedFolders", vmx], ["addSharedFolder", vmx, "a", "/tmp"], ["typeKeystrokesInGuest", vmx, "a"],
        ["readVariable", vmx, "guestEnv", "PATH"], ["captureScreen", vmx, vmrun.vms / "x.png"],
    ]  # fmt: skip
    for words in verbs:
        assert vmrun(*words) == silent, words
    code, output = vmrun("installTools", vmx)
    assert (code, "No VMware Tools image" in output) == (255, True)
