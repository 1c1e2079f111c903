from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_run import not_started, timed_out
from needs import posix_paths

from harness.core.errors import HostError, UsageError
from harness.vmrun.discovery import EMBEDDED, Fault, Kind
from harness.vmrun.locations import Source

from .fake_host import PF, QEMU, X86, ZERO, FakeHost, linux, windows


def test_the_order_option_variable_lab_file_locations_path() -> None:
    host = windows()
    option, variable = host.vmware(r"D:\option"), host.vmware(r"D:\variable")
    setting, place = host.vmware(r"D:\setting"), host.vmware(X86)
    path = host.vmware(r"D:\path")
    host.path = {"vmrun": path}
    host.environ["VMRUN_PATH"] = variable
    assert host.find(option, setting).vmrun_argv == (option,)
    assert host.find(None, setting).vmrun_argv == (variable,)
    del host.environ["VMRUN_PATH"]
    assert host.find(None, setting).vmrun_argv == (setting,)
    assert host.find().vmrun_argv == (place,)
    host.files.remove(place)
    found = host.find()
    assert found.vmrun_argv == (path,)
    assert [item.source for item in found.candidates if item.selected] == [Source.PATH]


def test_workstation_on_windows() -> None:
    host = windows()
    host.vmware(PF)
    found = host.find()
    assert found.kind is Kind.VMWARE
    assert found.vmrun_argv == (PF + r"\vmrun.exe",)
    assert found.vdiskmanager_argv == (PF + r"\vmware-vdiskmanager.exe",)
    assert found.version == "VMware Workstation 17.6.3 (vmrun 1.17.0 build-24583834)"
    assert found.host_type == "ws"
    assert found.env == {}
    assert found.with_home(Path("x")) is found
    assert found.home is None
    assert max(host.run.timeouts) <= 20


def test_macos_takes_fusion_and_its_disk_tool_from_library() -> None:
    library = "/Applications/VMware Fusion.app/Contents/Library"
    host = FakeHost("darwin", set())
    host.vmware(library, kind="fusion")
    found = host.find()
    assert found.vmrun_argv == (f"{library}/vmrun",)
    assert found.host_type == "fusion"
    public = library.replace("Library", "Public")
    host.vmware(public, kind="fusion")
    host.files -= {f"{library}/vmrun", f"{public}/vmware-vdiskmanager"}
    assert host.find().vdiskmanager_argv == (f"{library}/vmware-vdiskmanager",)


def test_a_player_only_host_is_asked_as_player() -> None:
    host = windows()
    missing = (
        b"Unable to connect to host.\r\nError: Service type VIX_SERVICEPROVIDER_VMWARE_WORKSTATION was specified, "
    )
    vmrun = host.vmware(X86, says=(missing + b"but not installed\r\n", 4294967295))
    host.run.on(vmrun, "-T", "player", "list", says=ZERO)
    assert host.find().host_type == "player"


@pytest.mark.parametrize("source", [Source.OPTION, Source.ENVIRONMENT, Source.LAB_FILE])
def test_a_named_one_that_is_not_there_is_bad_input(source: Source) -> None:
    host = windows()
    host.vmware(PF)
    option = r"D:\no\vmrun.exe" if source is Source.OPTION else None
    setting = r"D:\no\vmrun.exe" if source is Source.LAB_FILE else None
    if source is Source.ENVIRONMENT:
        host.environ["VMRUN_PATH"] = r"D:\no\vmrun.exe"
    with pytest.raises(UsageError, match="not found") as caught:
        host.find(option, setting)
    assert source.value in caught.value.where
    assert "full path" in caught.value.remedy
    assert not host.run.calls


def test_a_named_one_that_cannot_be_executed() -> None:
    host = linux()
    vmrun = host.vmware("/opt/x")
    host.plain.add(vmrun)
    with pytest.raises(UsageError, match="not executable") as caught:
        host.find(vmrun)
    assert "chmod +x" in caught.value.remedy
    host.plain.clear()
    host.run.answers[(vmrun, "-T", "ws", "list")] = [not_started()]
    with pytest.raises(UsageError, match="not executable"):
        host.find(vmrun)


@pytest.mark.parametrize(
    "says", [timed_out(), (b"Error: Cannot connect to the virtual machine\r\n", 255), b"hello\r\n", (b"", 1)]
)
def test_a_named_one_that_does_not_answer(says: object) -> None:
    host = linux()
    vmrun = host.vmware("/opt/x", says=says)
    with pytest.raises(UsageError, match="not answering") as caught:
        host.find(vmrun)
    assert "vmrun list" in caught.value.remedy


def test_three_kinds_of_bad_input_are_three_texts() -> None:
    host = linux()
    silent, plain = host.vmware("/opt/silent", says=timed_out()), host.vmware("/opt/plain")
    host.plain.add(plain)
    texts = set()
    for path in ("/opt/none/vmrun", silent, plain):
        with pytest.raises(UsageError) as caught:
            host.find(path)
        texts.add((caught.value.what, caught.value.remedy))
    assert len(texts) == 3


def test_a_named_one_without_a_disk_tool() -> None:
    host = linux()
    vmrun = host.vmware("/opt/x")
    host.files.remove("/opt/x/vmware-vdiskmanager")
    with pytest.raises(UsageError, match="vdiskmanager"):
        host.find(vmrun)
    host.path = {"vmware-vdiskmanager": "/usr/bin/vmware-vdiskmanager"}
    assert host.find(vmrun).vdiskmanager_argv == ("/usr/bin/vmware-vdiskmanager",)


def test_an_unusable_one_is_skipped_with_its_reason_and_qemu_is_used() -> None:
    host = linux().qemu()
    host.vmware("/usr/bin", says=(b"Error: Cannot connect to the virtual machine\n", 255))
    found = host.find().with_home(Path("/lab/hypervisor"))
    assert found.kind is Kind.EMBEDDED
    assert found.vmrun_argv == (sys.executable, "-P", "-m", "harness.vmrun_qemu")
    assert found.vdiskmanager_argv == (sys.executable, "-P", "-m", "harness.vmrun_qemu.vdiskmanager")
    assert found.env == {"VMRUN_QEMU_HOME": str(Path("/lab/hypervisor")), "VMRUN_QEMU_SCREEN": "without-login"}
    assert found.home == Path("/lab/hypervisor")
    assert found.with_home(Path("/other")).home == Path("/other")
    assert found.version == "QEMU 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)"
    why = {item.path: item.why for item in found.candidates}
    assert why["/usr/bin/vmrun"].startswith("not answering: vmrun list failed")
    assert why["/usr/local/bin/vmrun"] == "not found"
    assert [item.selected for item in found.candidates] == [False, False, True]


@pytest.mark.parametrize("system", [linux, windows])
def test_a_vmware_that_does_not_answer_is_not_to_be_installed(system: Callable[[], FakeHost]) -> None:
    host = system()
    folder = "/usr/bin" if system is linux else PF
    host.vmware(folder, says=(b"Error: Cannot connect to the virtual machine\r\n", 255))
    with pytest.raises(HostError, match="no hypervisor") as caught:
        host.find()
    assert "install VMware" not in caught.value.remedy
    assert ("vmware-modconfig" if system is linux else "net start VMAuthdService") in caught.value.remedy


def test_candidates_after_the_selected_one_are_not_probed() -> None:
    host = linux().qemu()
    host.vmware("/usr/bin")
    found = host.find()
    assert [(item.selected, item.why) for item in found.candidates[1:]] == [(False, "not probed")] * 2


@pytest.mark.parametrize("source", [Source.OPTION, Source.ENVIRONMENT, Source.LAB_FILE])
def test_the_word_embedded_means_the_embedded_one_everywhere(source: Source) -> None:
    host = linux().qemu()
    host.vmware("/usr/bin")
    if source is Source.ENVIRONMENT:
        host.environ["VMRUN_PATH"] = EMBEDDED
    option = EMBEDDED if source is Source.OPTION else None
    found = host.find(option, EMBEDDED if source is Source.LAB_FILE else None)
    assert found.kind is Kind.EMBEDDED
    assert found.candidates[0].source is source


def test_the_embedded_one_without_qemu() -> None:
    host = linux()
    with pytest.raises(UsageError, match="QEMU is missing") as named:
        host.find(EMBEDDED)
    assert named.value.remedy == "lab setup --with-deps"
    with pytest.raises(HostError, match="no hypervisor") as searched:
        host.find()
    assert "lab setup --with-deps" in searched.value.remedy
    assert "/usr/bin/vmrun: not found" in searched.value.detail


@pytest.mark.parametrize(
    ("output", "reason"), [("QEMU emulator version 6.2.0\n", "7.2 or newer"), ("?", "reports no version")]
)
def test_a_qemu_that_is_too_old(output: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        linux().qemu(output).find(EMBEDDED)
    assert reason in caught.value.detail


def test_a_qemu_without_its_image_tool() -> None:
    host = linux().qemu()
    host.files.remove("/usr/bin/qemu-img")
    with pytest.raises(UsageError) as caught:
        host.find(EMBEDDED)
    assert "/usr/bin/qemu-img" in caught.value.detail


def test_qemu_on_windows_and_by_variable() -> None:
    host = windows()
    folder = r"C:\Program Files\qemu"
    host.files |= {rf"{folder}\qemu-system-x86_64.exe", rf"{folder}\qemu-img.exe"}
    host.run.on(rf"{folder}\qemu-system-x86_64.exe", "--version", says=QEMU)
    assert host.find().kind is Kind.EMBEDDED
    host.environ["VMRUN_QEMU_BIN"] = r"D:\none.exe"
    with pytest.raises(UsageError) as caught:
        host.find(EMBEDDED)
    assert r"D:\none.exe" in caught.value.detail
    assert "VMRUN_QEMU_BIN" in caught.value.remedy
    del host.environ["VMRUN_QEMU_BIN"]
    host.files.clear()
    with pytest.raises(UsageError) as caught:
        host.find(EMBEDDED)
    assert "install QEMU" in caught.value.remedy


def test_a_path_to_vmrun_qemu_selects_exactly_that_program() -> None:
    host = linux().qemu()
    with pytest.raises(UsageError, match="not found"):
        host.find("/venv/bin/vmrun-qemu")
    host.files.add("/venv/bin/vmrun-qemu")
    with pytest.raises(UsageError, match="no vmware-vdiskmanager"):
        host.find("/venv/bin/vmrun-qemu")
    host.files.add("/venv/bin/vdiskmanager-qemu")
    found = host.find("/venv/bin/vmrun-qemu")
    assert found.kind is Kind.EMBEDDED
    assert (found.vmrun_argv, found.vdiskmanager_argv) == (("/venv/bin/vmrun-qemu",), ("/venv/bin/vdiskmanager-qemu",))


@posix_paths
def test_a_bare_name_is_looked_up_and_a_relative_setting_starts_at_the_lab_file() -> None:
    host = linux()
    vmrun = host.vmware("/lab/bin")
    host.path = {"vmrun": vmrun}
    assert host.find("vmrun").vmrun_argv == (vmrun,)
    assert host.find(None, "bin/vmrun", base=Path("/lab")).vmrun_argv == (vmrun,)  # type: ignore[arg-type]


def test_every_fault_has_a_remedy() -> None:
    from harness.vmrun.discovery import _REMEDIES  # noqa: PLC0415  (private: only its completeness is of interest)

    assert {*_REMEDIES, Fault.NO_QEMU} == set(Fault), "what helps where QEMU is missing differs by host"
