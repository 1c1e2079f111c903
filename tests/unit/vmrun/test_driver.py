from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from fake_run import FakeRun
from needs import posix_paths

from harness.core.errors import HostError, UsageError
from harness.core.secret import Secret
from harness.vmrun import CloneKind, GuestLogin, ToolsState, errors
from harness.vmrun import Vmrun as Driver

from .samples import EXE, MINUS_ONE, NONE, ONE, VMX, cmd, off, windows

# -- list ------------------------------------------------------------------------------------------------------------


def test_list_of_no_machine() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE)
    assert windows(run).list_running() == ()
    assert run.timeouts == [30]


def test_list_with_crlf_blanks_in_paths_and_the_environment() -> None:
    run = FakeRun().on(*cmd("list"), says=b"Total running VMs: 2\r\nC:\\my vms\\a.vmx\r\nC:\\b.vmx\r\n")
    driver = Driver((EXE,), run=run, env={"VMRUN_QEMU_HOME": "/x"})
    assert driver.list_running() == (Path(r"C:\my vms\a.vmx"), Path(r"C:\b.vmx"))
    assert run.envs == [{"VMRUN_QEMU_HOME": "/x"}]


def test_a_path_in_the_code_page_of_a_korean_host_does_not_raise() -> None:
    run = FakeRun().on(*cmd("list"), says="Total running VMs: 1\r\nC:\\가상\\a.vmx\r\n".encode("cp949"))
    (path,) = windows(run).list_running()
    assert str(path).startswith("C:\\")


@pytest.mark.parametrize(
    "says",
    [
        "Waiting for Command execution Available",
        "Total running VMs: 2\nC:\\a.vmx\n",
        "Total running VMs: 1\nhello\nworld\n",
        "Total running VMs: many\n",
    ],
)
def test_an_unexpected_output_of_list(says: str) -> None:
    with pytest.raises(errors.UnexpectedAnswer, match="Total running VMs"):
        windows(FakeRun().on(*cmd("list"), says=says)).list_running()


def test_list_that_fails_after_its_head() -> None:
    run = FakeRun().on(*cmd("list"), says="Total running VMs: 0\nError: Insufficient permissions in the host\n")
    with pytest.raises(errors.PermissionDenied):
        windows(run).list_running()


def test_list_with_other_lines_around_its_paths() -> None:
    says = f"Waiting for Command execution Available\nTotal running VMs: 1\nnote\n{VMX} (running)\n"
    assert windows(FakeRun().on(*cmd("list"), says=says)).list_running() == (Path(VMX),)


@posix_paths
def test_linux_paths_differ_by_case_and_links_are_resolved(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.vmx").write_text("")
    (tmp_path / "link").symlink_to(real)
    run = FakeRun().on("vmrun", "-T", "ws", "list", says=f"Total running VMs: 1\n{real / 'a.vmx'}\n")
    driver = Driver(("vmrun",), run=run, platform="linux")
    assert driver.is_running(tmp_path / "link" / "a.vmx")
    assert not driver.is_running(real / "A.vmx")


@posix_paths
def test_a_link_is_resolved_even_when_the_vmx_is_gone(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run = FakeRun().on("vmrun", "-T", "ws", "list", says=f"Total running VMs: 1\n{tmp_path / 'real' / 'a.vmx'}\n")
    assert Driver(("vmrun",), run=run, platform="linux").is_running(tmp_path / "link" / "a.vmx")


def test_two_names_of_one_file_are_one_machine_as_8_3_names_are(tmp_path: Path) -> None:
    (tmp_path / "machine.vmx").write_text("", encoding="utf-8")
    (tmp_path / "MACHIN~1.VMX").hardlink_to(tmp_path / "machine.vmx")
    run = FakeRun().on("vmrun", "-T", "ws", "list", says=f"Total running VMs: 1\n{tmp_path / 'MACHIN~1.VMX'}\n")
    assert Driver(("vmrun",), run=run, platform="linux").is_running(tmp_path / "machine.vmx")


# -- Tools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 254, 4294967294])
def test_unknown_tools_are_no_failure(code: int) -> None:
    run = FakeRun().on(*cmd("checkToolsState", VMX), says=(b"unknown\r\n", code))
    assert windows(run).check_tools_state(Path(VMX)) is ToolsState.UNKNOWN


@pytest.mark.parametrize("word", ["installed", "running"])
def test_known_tools(word: str) -> None:
    run = FakeRun().on(*cmd("checkToolsState", VMX), says=f"{word}\r\n".encode())
    assert windows(run).check_tools_state(Path(VMX)).value == word


def test_tools_of_an_encrypted_machine() -> None:
    run = FakeRun().on(*cmd("checkToolsState", VMX), says=("Error: A password is required for this operation\n", 255))
    with pytest.raises(errors.VmEncrypted):
        windows(run).check_tools_state(Path(VMX))


@pytest.mark.parametrize(
    "says",
    [
        b"unknown\r\n",
        b"\r\n",
        b"",
        b"fe80::1\r\n",
        b"0.0.0.0\r\n",
        (b"Error: Unable to get the IP address\r\n", 255),
        (b"Error: Unable to get the IP address\r\n", 0),
    ],
)
def test_no_address_yet(says: object) -> None:
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("getGuestIPAddress", VMX), says=says)
    assert windows(run).guest_ip_address(Path(VMX)) is None


def test_an_address_and_what_is_none() -> None:
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("getGuestIPAddress", VMX), says=b"192.168.6.10\r\n")
    assert windows(run).guest_ip_address(Path(VMX)) == IPv4Address("192.168.6.10")
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("getGuestIPAddress", VMX), says=b"soon\r\n")
    with pytest.raises(errors.UnexpectedAnswer):
        windows(run).guest_ip_address(Path(VMX))
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("getGuestIPAddress", VMX), says=off())
    with pytest.raises(errors.VmNotPoweredOn):
        windows(run).guest_ip_address(Path(VMX))


def test_the_old_address_of_a_suspended_machine_is_not_asked_for() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE)
    with pytest.raises(errors.VmNotPoweredOn, match="old one"):
        windows(run).guest_ip_address(Path(VMX))


def test_guest_flags_stand_before_the_verb(tmp_path: Path) -> None:
    png = tmp_path / "a b.png"
    argv = (EXE, "-T", "ws", "-gu", "ubuntu", "-gp", "geheim", "captureScreen", VMX, str(png))
    run = FakeRun().on(*argv, then=lambda: png.write_bytes(b"\x89PNG\r\n\x1a\n..."))
    windows(run).capture_screen(Path(VMX), png, GuestLogin("ubuntu", Secret("geheim")))
    run = FakeRun().on(*argv, says=("Error: Invalid user name or password for the guest OS\n", 255))
    with pytest.raises(errors.GuestLoginFailed) as caught:
        windows(run).capture_screen(Path(VMX), png, GuestLogin("ubuntu", Secret("geheim")))
    assert "geheim" not in str(caught.value)


def test_a_picture_that_is_none(tmp_path: Path) -> None:
    run = FakeRun().on(*cmd("captureScreen", VMX, str(tmp_path / "a.png")))
    with pytest.raises(errors.UnexpectedAnswer, match="no picture"):
        windows(run).capture_screen(Path(VMX), tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"GIF89a")
    with pytest.raises(errors.UnexpectedAnswer, match="no picture"):
        windows(run).capture_screen(Path(VMX), tmp_path / "a.png")


def test_an_older_picture_is_not_mistaken_for_this_one(tmp_path: Path) -> None:
    png = tmp_path / "a.png"
    png.write_bytes(b"\x89PNG\r\n\x1a\nold")
    run = FakeRun().on(*cmd("captureScreen", VMX, str(png)))
    with pytest.raises(errors.UnexpectedAnswer, match="no picture"):
        windows(run).capture_screen(Path(VMX), png)
    assert png.read_bytes().endswith(b"old")
    run = FakeRun().on(*cmd("captureScreen", VMX, str(png)), then=lambda: png.write_bytes(b"\x89PNG\r\n\x1a\nnew"))
    windows(run).capture_screen(Path(VMX), png)
    assert [file.read_bytes()[-3:] for file in tmp_path.iterdir()] == [b"new"]


def test_a_machine_whose_clones_are_not_known_is_not_deleted(tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    (tmp_path / "a.vmsd").write_text("nonsense\n", encoding="utf-8")
    run = FakeRun()
    with pytest.raises(HostError, match="linked clone") as caught:
        windows(run).delete_vm(vmx)
    assert caught.value.where == str(tmp_path / "a.vmsd")
    assert run.calls == []


def test_a_start_that_hangs_is_ended_without_its_children() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"))
    windows(run).start(Path(VMX))
    assert run.kept_children == [False, True]


def test_a_login_without_password_is_refused() -> None:
    with pytest.raises(UsageError, match="password of the guest user ubuntu is empty"):
        GuestLogin("ubuntu", Secret(""))


# -- clone, upgrade --------------------------------------------------------------------------------------------------


def test_a_clone_is_there_when_its_vmx_is(tmp_path: Path) -> None:
    target = tmp_path / "clone" / "c.vmx"
    argv = cmd("clone", VMX, str(target), "linked", "-snapshot=clean base", "-cloneName=c")

    def made() -> None:
        target.parent.mkdir()
        target.write_text("", encoding="utf-8")

    run = FakeRun().on(*argv, then=made)
    windows(run).clone(Path(VMX), target, CloneKind.LINKED, snapshot="clean base", name="c")
    assert run.timeouts == [1800]
    run = FakeRun().on(*cmd("clone", VMX, str(tmp_path / "d.vmx"), "full"))
    with pytest.raises(errors.UnexpectedAnswer, match="there is no"):
        windows(run).clone(Path(VMX), tmp_path / "d.vmx", CloneKind.FULL)


def test_a_clone_of_a_snapshot_that_does_not_exist(tmp_path: Path) -> None:
    argv = cmd("clone", VMX, str(tmp_path / "c.vmx"), "linked", "-snapshot=nope")
    run = FakeRun().on(*argv, says=(b"Error: Invalid snapshot name 'nope'\r\n\r\n", MINUS_ONE))
    with pytest.raises(errors.SnapshotMissing):
        windows(run).clone(Path(VMX), tmp_path / "c.vmx", CloneKind.LINKED, snapshot="nope")


def test_upgrade() -> None:
    run = FakeRun().on(*cmd("upgradevm", VMX))
    windows(run).upgrade_vm(Path(VMX))
    assert run.calls == [cmd("upgradevm", VMX)]


# -- the program -----------------------------------------------------------------------------------------------------


def test_version_comes_from_the_usage_text() -> None:
    usage = b"\r\nvmrun version 1.17.0 build-24583834\r\n\r\nUsage: vmrun [AUTHENTICATION-FLAGS] COMMAND\r\n"
    run = FakeRun().on(EXE, says=(usage, MINUS_ONE))
    version = windows(run).version()
    assert version is not None
    assert str(version) == "VMware Workstation 17.6.3 (vmrun 1.17.0 build-24583834)"
    assert windows(FakeRun().on(EXE, says="hello")).version() is None


def test_about_is_an_extension_of_the_embedded_one() -> None:
    run = FakeRun().on(*cmd("about"), says='{"accelerator": "tcg", "why": "no kvm"}\n')
    assert windows(run).about()["accelerator"] == "tcg"
    for says in ("[]", "nothing"):
        with pytest.raises(errors.UnexpectedAnswer):
            windows(FakeRun().on(*cmd("about"), says=says)).about()
