from __future__ import annotations

import sys
from pathlib import PureWindowsPath

from harness.vmrun.locations import Source, disk_tool, qemu_locations, qemu_remedy, this_host, vmware_locations

from .fake_host import PF, X86, FakeHost, linux, windows


def test_windows_locations_are_registry_first_then_both_program_files_each_once() -> None:
    host = windows()
    host.registry = (r"D:\Apps\VMware Workstation" + "\\", X86.upper() + "\\")
    host.environ["VMWARE_HOME"] = r"E:\vmw"
    places = vmware_locations(host.system())
    assert places[0] == (Source.REGISTRY, r"D:\Apps\VMware Workstation\vmrun.exe")
    assert places[2] == (Source.DEFAULT, r"E:\vmw\vmrun.exe")
    texts = [PureWindowsPath(path) for _, path in places]
    assert len(set(texts)) == len(texts)
    assert PureWindowsPath(PF, "vmrun.exe") in texts
    assert PureWindowsPath(X86, "vmrun.exe") in texts
    assert PureWindowsPath(r"C:\Program Files (x86)\VMware\VMware Player\vmrun.exe") in texts


def test_this_host_can_be_asked() -> None:
    system = this_host()
    assert system.is_file(sys.executable)
    assert system.is_executable(sys.executable)
    assert not system.is_executable(__file__)
    assert isinstance(system.registry_folders(), tuple)


def test_linux_and_macos_have_fixed_locations() -> None:
    assert [path for _, path in vmware_locations(linux().system())] == ["/usr/bin/vmrun", "/usr/local/bin/vmrun"]
    fusion = [path for _, path in vmware_locations(FakeHost("darwin", set()).system())]
    assert fusion == [f"/Applications/VMware Fusion.app/Contents/{name}/vmrun" for name in ("Library", "Public")]


def test_the_disk_tool_has_the_suffix_of_vmrun_on_windows() -> None:
    host = windows()
    host.files = {r"C:\fakes\vmware-vdiskmanager.cmd"}
    assert disk_tool(r"C:\fakes\vmrun.cmd", host.system()) == r"C:\fakes\vmware-vdiskmanager.cmd"
    assert disk_tool(r"C:\fakes\vmrun.exe", host.system()) is None


def test_qemu_is_searched_on_path_then_in_the_wheel() -> None:
    host = linux()
    assert qemu_locations(host.system()) == ()
    host.wheel = "/wheel/bin"
    host.files.add("/wheel/bin/qemu-system-x86_64")
    assert qemu_locations(host.system()) == ("/wheel/bin/qemu-system-x86_64",)
    host.qemu()
    assert qemu_locations(host.system())[0] == "/usr/bin/qemu-system-x86_64"
    host.environ["VMRUN_QEMU_BIN"] = "/opt/qemu"
    assert qemu_locations(host.system()) == ("/opt/qemu",)


def test_the_remedy_for_qemu_fits_the_host() -> None:
    assert qemu_remedy(linux().system()) == "lab setup --with-deps"
    assert "add its folder to PATH" in qemu_remedy(windows().system())
    host = linux()
    host.environ["VMRUN_QEMU_BIN"] = "/opt/qemu"
    assert "or unset it" in qemu_remedy(host.system())
