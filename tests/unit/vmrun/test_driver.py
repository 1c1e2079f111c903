from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from fake_run import FakeClock, FakeRun
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import HostError, UsageError, VmrunError
from harness.core.secret import Secret
from harness.core.text import decode
from harness.system.process import Completed
from harness.vmrun import errors
from harness.vmrun.driver import CloneKind, Vmrun
from harness.vmrun.guest import Guest
from harness.vmrun.invocation import GuestLogin
from harness.vmrun.networks import PortForwarding, Protocol
from harness.vmrun.parse import Display, StopMode, ToolsState
from harness.vmrun.paths import GuestPath
from harness.vmrun.runtime import Runtime, VariableKind

from .samples import EXE, MINUS_ONE, NONE, ONE, VMX, cmd, off, windows

# -- every verb ------------------------------------------------------------------------------------------------------

LAB_VMX = Path("lab") / "one.vmx"
RULE = PortForwarding(Protocol.TCP, 2210, IPv4Address("192.168.6.10"), 22)
GUEST_VAR = VariableKind.GUEST_VAR
# Platform, program, line end, and what -1 arrives as.
HOSTS = {
    "win32": (r"C:\Program Files (x86)\VMware\VMware Workstation\vmrun.exe", "\r\n", 4294967295),
    "linux": ("/usr/bin/vmrun", "\n", 255),
    "darwin": ("/Applications/VMware Fusion.app/Contents/Library/vmrun", "\n", 255),
}


@dataclass(frozen=True)
class Case:
    """A call, its words for `vmrun`, their output, and the value.

    An `inside` call has the guest login.
    """

    call: Callable[[Vmrun], object]
    words: tuple[str, ...]
    says: tuple[str, ...] = ()
    value: object = None
    inside: bool = False


def on(*words: str) -> tuple[str, ...]:
    """Return the words of a verb for the VM."""
    return (words[0], str(LAB_VMX), *words[1:])


def runtime_of(vmrun: Vmrun) -> Runtime:
    return vmrun.runtime(LAB_VMX)


def guest_of(vmrun: Vmrun) -> Guest:
    return vmrun.guest(LAB_VMX, GuestLogin("lab", Secret("geheim")))


def inside(call: Callable[[Guest], object], *words: str, says: tuple[str, ...] = (), value: object = None) -> Case:
    return Case(lambda vmrun: call(guest_of(vmrun)), on(*words), says, value, inside=True)


FILE = GuestPath("/a b")
CASES = [
    Case(lambda v: v.stop(LAB_VMX, StopMode.SOFT), on("stop", "soft"), value=True),
    Case(lambda v: v.start(LAB_VMX, Display.GUI), on("start", "gui"), value=True),
    Case(lambda v: v.pause(LAB_VMX), on("pause")),
    Case(lambda v: v.unpause(LAB_VMX), on("unpause")),
    Case(lambda v: v.suspend(LAB_VMX, StopMode.SOFT), on("suspend", "soft")),
    Case(lambda v: v.upgrade_vm(LAB_VMX), on("upgradevm")),
    Case(lambda v: v.delete_vm(LAB_VMX), on("deleteVM")),
    Case(
        lambda v: v.snapshots(LAB_VMX).tree().names,
        on("listSnapshots", "showTree"),
        ("Total snapshots: 1", "a"),
        ("a",),
    ),
    Case(lambda v: v.check_tools_state(LAB_VMX), on("checkToolsState"), ("installed",), "installed"),
    Case(lambda v: runtime_of(v).connect_device("sata0:1"), on("connectNamedDevice", "sata0:1")),
    Case(lambda v: runtime_of(v).disconnect_device("sound"), on("disconnectNamedDevice", "sound")),
    Case(
        lambda v: runtime_of(v).read_variable(GUEST_VAR, "ip"),
        on("readVariable", "guestVar", "ip"),
        ("1.2.3.4",),
        "1.2.3.4",
    ),
    Case(lambda v: runtime_of(v).write_variable(GUEST_VAR, "a", "b c"), on("writeVariable", "guestVar", "a", "b c")),
    Case(lambda v: v.networks.list_host_networks(), ("listHostNetworks",), ("Total host networks: 0",), ()),
    Case(
        lambda v: v.networks.list_port_forwardings("vmnet8"),
        ("listPortForwardings", "vmnet8"),
        ("Total port forwardings: 0",),
        (),
    ),
    Case(
        lambda v: v.networks.set_port_forwarding("vmnet8", RULE),
        ("setPortForwarding", "vmnet8", "tcp", "2210", "192.168.6.10", "22"),
    ),
    Case(
        lambda v: v.networks.delete_port_forwarding("vmnet8", RULE), ("deletePortForwarding", "vmnet8", "tcp", "2210")
    ),
    inside(lambda g: g.run_program(FILE), "runProgramInGuest", "/a b", value=0),
    inside(lambda g: g.start_program(FILE), "runProgramInGuest", "-noWait", "/a b"),
    inside(lambda g: g.run_script(FILE, "id\nls"), "runScriptInGuest", "/a b", "id\nls", value=0),
    inside(lambda g: g.list_processes(), "listProcessesInGuest", says=("Process list: 0",), value=()),
    inside(lambda g: g.kill_process(7), "killProcessInGuest", "7"),
    inside(lambda g: g.file_exists(FILE), "fileExistsInGuest", "/a b", says=("The file exists.",), value=True),
    inside(
        lambda g: g.directory_exists(FILE),
        "directoryExistsInGuest",
        "/a b",
        says=("The directory exists.",),
        value=True,
    ),
    inside(lambda g: g.delete_file(FILE), "deleteFileInGuest", "/a b"),
    inside(lambda g: g.rename_file(FILE, GuestPath("/c")), "renameFileInGuest", "/a b", "/c"),
    inside(lambda g: g.create_directory(FILE), "createDirectoryInGuest", "/a b"),
    inside(lambda g: g.delete_directory(FILE), "deleteDirectoryInGuest", "/a b"),
    inside(
        lambda g: g.list_directory(FILE),
        "listDirectoryInGuest",
        "/a b",
        says=("Directory list: 1", "x"),
        value=("x",),
    ),
    inside(lambda g: g.create_temporary_file(), "CreateTempfileInGuest", says=("/a b",), value=FILE),
    inside(lambda g: g.copy_to_guest(LAB_VMX, FILE), "CopyFileFromHostToGuest", str(LAB_VMX.resolve()), "/a b"),
]


def argv(platform: str, case: Case) -> tuple[str, ...]:
    login = ("-gu", "lab", "-gp", "geheim") if case.inside else ()
    return (HOSTS[platform][0], "-T", "ws", *login, *case.words)


def driver_on(platform: str, run: FakeRun) -> Vmrun:
    program = HOSTS[platform][0]
    run.on(program, "-T", "ws", "list", says="Total running VMs: 0\n")
    return Vmrun((program,), run=run, clock=run.clock, platform=platform)


@pytest.mark.parametrize("platform", HOSTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words[0])
def test_a_verb_becomes_these_words_and_its_answer_this_value(case: Case, platform: str) -> None:
    printed = "".join(line + HOSTS[platform][1] for line in case.says)
    run = FakeRun().on(*argv(platform, case), says=printed.encode())
    assert case.call(driver_on(platform, run)) == case.value
    assert run.calls.count(argv(platform, case)) == 1


@pytest.mark.parametrize("platform", HOSTS)
@pytest.mark.parametrize("as_success", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words[0])
def test_a_failure_of_any_verb_is_its_class_also_with_the_status_of_a_success(
    case: Case, platform: str, as_success: bool
) -> None:
    _, line_end, minus_one = HOSTS[platform]
    printed = f"Error: The file is already in use{line_end}".encode()
    run = FakeRun().on(*argv(platform, case), says=(printed, 0 if as_success else minus_one))
    with pytest.raises(errors.VmBusy) as caught:
        case.call(driver_on(platform, run))
    assert "geheim" not in str(caught.value)


# -- any output ------------------------------------------------------------------------------------------------------

HEADS = (
    "Total running VMs: 2",
    "Total snapshots: 3",
    "Total host networks: 1",
    "Total port forwardings: 1",
    "Process list: 1",
    "Directory list: 2",
    "Error: ",
    "Guest program exited with non-zero exit code: ",
)
# Bytes as they come, and bytes that begin as an answer does.
ANSWERS = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda head, tail: head.encode() + b"\r\n" + tail, st.sampled_from(HEADS), st.binary(max_size=100)),
    st.builds(
        lambda head, rows: "\n".join([head, *rows]).encode(),
        st.sampled_from(HEADS),
        st.lists(st.text(alphabet="\t\r a1:.\u00e9,=", max_size=12), max_size=5),
    ),
)
CODES = st.sampled_from([0, 1, 42, 127, 254, 255, 4294967294, 4294967295, -1])
QUESTIONS: Mapping[str, Callable[[Vmrun], object]] = {
    "list": lambda vmrun: vmrun.list_running(),
    "is running": lambda vmrun: vmrun.is_running(LAB_VMX),
    "power": lambda vmrun: vmrun.power_state(LAB_VMX),
    "start": lambda vmrun: vmrun.start(LAB_VMX),
    "tools": lambda vmrun: vmrun.check_tools_state(LAB_VMX),
    "address": lambda vmrun: vmrun.guest_ip_address(LAB_VMX),
    "networks": lambda vmrun: vmrun.networks.list_host_networks(),
    "forwardings": lambda vmrun: vmrun.networks.list_port_forwardings("vmnet1"),
    "about": lambda vmrun: vmrun.about(),
    "version": lambda vmrun: vmrun.version(),
    "snapshots": lambda vmrun: vmrun.snapshots(LAB_VMX).tree(),
    "variable": lambda vmrun: vmrun.runtime(LAB_VMX).read_variable(VariableKind.GUEST_VAR, "x"),
    "program": lambda vmrun: guest_of(vmrun).run_program(FILE),
    "processes": lambda vmrun: guest_of(vmrun).list_processes(),
    "file exists": lambda vmrun: guest_of(vmrun).file_exists(FILE),
    "directory": lambda vmrun: guest_of(vmrun).list_directory(FILE),
    "temporary file": lambda vmrun: guest_of(vmrun).create_temporary_file(),
}


@pytest.mark.parametrize("question", QUESTIONS)
@settings(deadline=None)
@given(data=ANSWERS, code=CODES)
def test_any_answer_is_a_value_or_an_error_of_vmrun(question: str, data: bytes, code: int) -> None:
    def fake_run(
        argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None, keep_children: bool = False
    ) -> Completed:
        return Completed(tuple(argv), code, decode(data), "", 0.0)

    vmrun = Vmrun(("v",), run=fake_run, clock=FakeClock())
    with contextlib.suppress(VmrunError):
        QUESTIONS[question](vmrun)


# -- list ------------------------------------------------------------------------------------------------------------


def test_list_of_no_machine() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE)
    assert windows(run).list_running() == ()
    assert run.timeouts == [30]


def test_list_with_crlf_blanks_in_paths_and_the_environment() -> None:
    run = FakeRun().on(*cmd("list"), says=b"Total running VMs: 2\r\nC:\\my vms\\a.vmx\r\nC:\\b.vmx\r\n")
    driver = Vmrun((EXE,), run=run, env={"VMRUN_QEMU_HOME": "/x"})
    assert driver.list_running() == (Path(r"C:\my vms\a.vmx"), Path(r"C:\b.vmx"))
    assert run.envs == [{"VMRUN_QEMU_HOME": "/x"}]


def test_a_path_in_the_code_page_of_a_korean_host_does_not_raise() -> None:
    run = FakeRun().on(*cmd("list"), says="Total running VMs: 1\r\nC:\\가상\\a.vmx\r\n".encode("cp949"))
    (path,) = windows(run).list_running()
    assert str(path).startswith("C:\\")


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
