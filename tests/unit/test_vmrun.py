from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from fake_run import FakeClock, FakeRun, not_started, timed_out
from needs import posix_paths

from harness import process
from harness import vmrun_errors as errors
from harness.errors import DeadlineExpired, ProcessError
from harness.secret import Secret
from harness.vmrun import Display, GuestLogin, HostNetwork, NetworkKind, PortForwarding, Protocol, StopMode, ToolsState
from harness.vmrun import Vmrun as Driver
from harness.wait import Deadline

EXE = r"C:\Program Files (x86)\VMware\VMware Workstation\vmrun.exe"
VMX = r"F:\VMs\AirgapLab\k3s-master1\k3s-master1.vmx"
NONE = b"Total running VMs: 0\r\n"
ONE = f"Total running VMs: 1\r\n{VMX}\r\n".encode()
MINUS_ONE = 4294967295


def windows(run: FakeRun) -> Driver:
    return Driver((EXE,), run=run, clock=run.clock, platform="win32")


def cmd(*words: str) -> tuple[str, ...]:
    return (EXE, "-T", "ws", *words)


def off(vmx: str = VMX) -> tuple[bytes, int]:
    return f"Error: The virtual machine is not powered on: {vmx}\r\n".encode(), MINUS_ONE


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


def test_list_that_answers_something_else() -> None:
    run = FakeRun().on(*cmd("list"), says="Waiting for Command execution Available")
    with pytest.raises(errors.UnexpectedAnswer, match="Total running VMs"):
        windows(run).list_running()


@pytest.mark.parametrize(
    "spelling", [VMX, VMX.lower(), VMX.replace("\\", "/"), "f" + VMX[1:], VMX.replace("AirgapLab", r"x\..\AirgapLab")]
)
def test_windows_paths_are_compared_without_case_and_slashes(spelling: str) -> None:
    run = FakeRun().on(*cmd("list"), says=f"Total running VMs: 1\r\n{spelling}\r\n")
    assert windows(run).is_running(Path(VMX))


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


# -- start -----------------------------------------------------------------------------------------------------------


def test_start_asks_list_first_and_is_without_window_by_default() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"))
    assert windows(run).start(Path(VMX)) is True
    assert run.calls == [cmd("list"), cmd("start", VMX, "nogui")]
    assert run.timeouts == [30, 600]


def test_a_double_start_is_not_passed_on() -> None:
    run = FakeRun().on(*cmd("list"), says=ONE)
    assert windows(run).start(Path(VMX), Display.GUI) is False
    assert run.calls == [cmd("list")]


def test_a_start_that_somebody_else_won() -> None:
    said = b"Error: The virtual machine should not be powered on. It is already running.\r\n", MINUS_ONE
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "gui"), says=said)
    assert windows(run).start(Path(VMX), Display.GUI) is False


@pytest.mark.parametrize("code", [0, 1, 127, 255, MINUS_ONE])
def test_error_on_stdout_is_a_failure_whatever_the_exit_status(code: int) -> None:
    run = FakeRun().on(*cmd("list"), says=NONE)
    run.on(*cmd("start", VMX, "nogui"), says=(b"Error: The file is already in use\r\n", code))
    with pytest.raises(errors.VmBusy) as caught:
        windows(run).start(Path(VMX))
    assert caught.value.where == VMX
    assert "lab down" in caught.value.remedy


def test_a_silent_failure_is_a_failure() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"), says=("", 1))
    with pytest.raises(errors.UnknownFailure):
        windows(run).start(Path(VMX))


def test_a_canceled_start_has_its_reason_from_vmware_log(tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    (tmp_path / "vmware.log").write_bytes(
        b"2026-01-01T10:00:00.000Z In(05) vmx Msg_Post: Error\r\n"
        b"2026-01-01T10:00:00.000Z In(05) vmx [msg.old] an older box\r\n"
        b"2026-01-01T10:00:00.000Z In(05) vmx ----------------------------------------\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx Msg_Post: Error\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx [msg.disk.noBackEnd] Cannot open the disk 'a.vmdk'.\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx It is \xb0 locked.\r\n"
        b"2026-01-01T10:00:01.000Z In(05) vmx ----------------------------------------\r\n"
        b"2026-01-01T10:00:02.000Z In(05) vmx Module DiskEarly power on failed.\r\n"
    )
    run = FakeRun().on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    run.on("v", "-T", "ws", "start", str(vmx), "nogui", says=("Error: The operation was canceled\n", 255))
    with pytest.raises(errors.OperationCanceled) as caught:
        Driver(("v",), run=run).start(vmx)
    assert "Cannot open the disk 'a.vmdk'. It is" in caught.value.said
    assert "older box" not in caught.value.said
    assert "Module" not in caught.value.said
    assert caught.value.evidence == (str(tmp_path / "vmware.log"),)


def test_a_vmrun_that_never_ends_is_a_timeout_and_one_that_cannot_start_is_not() -> None:
    run = FakeRun().on(*cmd("list"), says=timed_out())
    with pytest.raises(errors.VmrunTimeout, match="vmrun list"):
        windows(run).list_running()
    run = FakeRun().on(*cmd("list"), says=not_started())
    with pytest.raises(errors.VmrunUnavailable, match="Permission denied"):
        windows(run).list_running()


def test_the_real_process_door_gives_the_same_two_errors(tmp_path: Path) -> None:
    with pytest.raises(errors.VmrunUnavailable):
        Driver((str(tmp_path / "absent"),)).list_running()
    with pytest.raises(ProcessError) as caught:
        process.run([__import__("sys").executable, "-c", "import time; time.sleep(60)"], timeout_s=0.2)
    assert not isinstance(caught.value.__cause__, OSError)


# -- stop ------------------------------------------------------------------------------------------------------------


def test_stop_and_a_stop_that_already_happened() -> None:
    run = FakeRun().on(*cmd("stop", VMX, "soft")).on(*cmd("stop", VMX, "hard"), says=off())
    assert windows(run).stop(Path(VMX), StopMode.SOFT) is True
    assert windows(run).stop(Path(VMX), StopMode.HARD) is False


def test_a_soft_stop_that_works() -> None:
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("list"), says=ONE).on(*cmd("list"), says=NONE)
    run.on(*cmd("stop", VMX, "soft"))
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock), soft_s=40) is StopMode.SOFT
    assert cmd("stop", VMX, "hard") not in run.calls
    assert run.timeouts[run.calls.index(cmd("stop", VMX, "soft"))] <= 40


def test_a_soft_stop_that_hangs_is_followed_by_a_hard_one() -> None:
    run = FakeRun()
    run.on(*cmd("list"), says=ONE).on(*cmd("list"), says=ONE).on(*cmd("list"), says=NONE)
    run.on(*cmd("stop", VMX, "soft"), says=timed_out()).on(*cmd("stop", VMX, "hard"))
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock)) is StopMode.HARD


def test_a_soft_stop_that_lies_is_followed_by_a_hard_one_within_its_box() -> None:
    state = {"list": ONE}
    run = FakeRun().on(*cmd("stop", VMX, "soft")).on(*cmd("stop", VMX, "hard"))
    run.effects[cmd("stop", VMX, "hard")] = lambda: state.update(list=NONE)
    run.answers[cmd("list")] = _Changing(state, "list")
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock), soft_s=10) is StopMode.HARD
    assert 10 <= run.clock.now < 12


class _Changing(list[object]):
    """A list of answers that always has one: what the state says now."""

    def __init__(self, state: dict[str, bytes], key: str) -> None:
        super().__init__()
        self._state, self._key = state, key

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: object) -> bytes:  # type: ignore[override]
        return self._state[self._key]


def test_tools_not_running_goes_straight_to_hard() -> None:
    said = (f"Error: The VMware Tools are not running in the virtual machine: {VMX}\r\n".encode(), MINUS_ONE)
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("list"), says=ONE).on(*cmd("list"), says=NONE)
    run.on(*cmd("stop", VMX, "soft"), says=said).on(*cmd("stop", VMX, "hard"))
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock)) is StopMode.HARD
    assert run.clock.now < 1


def test_a_machine_that_is_off_is_not_stopped() -> None:
    run = FakeRun().on(*cmd("list"), says=NONE)
    assert windows(run).stop_and_verify(Path(VMX), Deadline(120, run.clock)) is None


def test_a_machine_that_does_not_go_off() -> None:
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("stop", VMX, "hard"))
    with pytest.raises(DeadlineExpired, match="does not go off") as caught:
        windows(run).stop_and_verify(Path(VMX), Deadline(20, run.clock), soft_s=0)
    assert cmd("stop", VMX, "soft") not in run.calls
    assert "list" in caught.value.last_seen


def test_a_hard_stop_that_fails_on_a_machine_that_still_runs() -> None:
    said = (b"Error: The file is already in use\r\n", MINUS_ONE)
    run = FakeRun().on(*cmd("list"), says=ONE).on(*cmd("stop", VMX, "hard"), says=said)
    with pytest.raises(errors.VmBusy):
        windows(run).stop_and_verify(Path(VMX), Deadline(20, run.clock), soft_s=0)


def test_a_machine_is_off_when_its_locks_are_gone(tmp_path: Path) -> None:
    lock = tmp_path / "a.vmx.lck"
    lock.mkdir()

    class FakeUnlockingClock(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.now > 3 and lock.exists():
                lock.rmdir()

    clock = FakeUnlockingClock()
    run = FakeRun(clock).on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    assert Driver(("v",), run=run).stop_and_verify(tmp_path / "a.vmx", Deadline(20, clock)) is None
    assert 3 < clock.now < 5


def test_locks_that_stay_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.vmdk.lck").mkdir()
    run = FakeRun().on("v", "-T", "ws", "list", says="Total running VMs: 0\n")
    with pytest.raises(DeadlineExpired, match="still locked") as caught:
        Driver(("v",), run=run).stop_and_verify(tmp_path / "a.vmx", Deadline(5, run.clock))
    assert caught.value.last_seen == "a.vmdk.lck"


# -- reset, delete ---------------------------------------------------------------------------------------------------


def test_reset_of_a_machine_that_runs_on() -> None:
    run = FakeRun().on(*cmd("reset", VMX, "hard")).on(*cmd("list"), says=ONE)
    windows(run).reset(Path(VMX))
    assert run.calls == [cmd("reset", VMX, "hard"), cmd("list")]


def test_a_reset_that_left_the_machine_off_is_mended() -> None:
    run = FakeRun().on(*cmd("reset", VMX, "hard")).on(*cmd("list"), says=NONE).on(*cmd("start", VMX, "nogui"))
    windows(run).reset(Path(VMX))
    assert run.calls[-1] == cmd("start", VMX, "nogui")


def test_delete_vm() -> None:
    run = FakeRun().on(*cmd("deleteVM", VMX))
    windows(run).delete_vm(Path(VMX))
    said = f"Error: Cannot open VM: {VMX}, The virtual machine cannot be found\r\n", MINUS_ONE
    run = FakeRun().on(*cmd("deleteVM", VMX), says=said)
    with pytest.raises(errors.VmNotFound, match=r"VIX 4000\); exit -1"):
        windows(run).delete_vm(Path(VMX))


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
    run = FakeRun().on(*cmd("getGuestIPAddress", VMX), says=says)
    assert windows(run).guest_ip_address(Path(VMX)) is None


def test_an_address_and_what_is_none() -> None:
    run = FakeRun().on(*cmd("getGuestIPAddress", VMX), says=b"192.168.6.10\r\n")
    assert windows(run).guest_ip_address(Path(VMX)) == IPv4Address("192.168.6.10")
    run = FakeRun().on(*cmd("getGuestIPAddress", VMX), says=b"soon\r\n")
    with pytest.raises(errors.UnexpectedAnswer):
        windows(run).guest_ip_address(Path(VMX))
    run = FakeRun().on(*cmd("getGuestIPAddress", VMX), says=off())
    with pytest.raises(errors.VmNotPoweredOn):
        windows(run).guest_ip_address(Path(VMX))


def test_guest_flags_stand_before_the_verb() -> None:
    argv = (EXE, "-T", "ws", "-gu", "ubuntu", "-gp", "geheim", "captureScreen", VMX, "C:\\a b.png")
    run = FakeRun().on(*argv)
    windows(run).capture_screen(Path(VMX), Path("C:\\a b.png"), GuestLogin("ubuntu", Secret("geheim")))
    run = FakeRun().on(*argv, says=("Error: Invalid user name or password for the guest OS\n", 255))
    with pytest.raises(errors.GuestLoginFailed) as caught:
        windows(run).capture_screen(Path(VMX), Path("C:\\a b.png"), GuestLogin("ubuntu", Secret("geheim")))
    assert "geheim" not in str(caught.value)


# -- networks --------------------------------------------------------------------------------------------------------

NETWORKS = (
    b"Total host networks: 3\r\n"
    b"INDEX  NAME         TYPE         DHCP         SUBNET           MASK\r\n"
    b"0      vmnet0       bridged      false        empty            empty\r\n"
    b"1      vmnet1       hostOnly     true         192.168.6.0      255.255.255.0\r\n"
    b"8      vmnet8       nat          true         192.168.80.0     255.255.255.0\r\n"
)


def test_host_networks() -> None:
    run = FakeRun().on(*cmd("listHostNetworks"), says=NETWORKS)
    assert windows(run).list_host_networks() == (
        HostNetwork(0, "vmnet0", NetworkKind.BRIDGED, dhcp=False, subnet=None),
        HostNetwork(1, "vmnet1", NetworkKind.HOST_ONLY, dhcp=True, subnet=IPv4Network("192.168.6.0/24")),
        HostNetwork(8, "vmnet8", NetworkKind.NAT, dhcp=True, subnet=IPv4Network("192.168.80.0/24")),
    )


def test_a_row_that_cannot_be_read_is_not_left_out_without_a_word() -> None:
    run = FakeRun().on(*cmd("listHostNetworks"), says=NETWORKS.replace(b"hostOnly     true", b"hostOnly     -"))
    with pytest.raises(errors.UnexpectedAnswer, match="2 rows"):
        windows(run).list_host_networks()


def test_port_forwardings() -> None:
    rule = PortForwarding(Protocol.TCP, 2210, IPv4Address("192.168.6.10"), 22, "ssh of k3s-master1")
    bare = PortForwarding(Protocol.UDP, 5353, IPv4Address("192.168.6.10"), 53)
    text = (
        "Total port forwardings: 2\r\n"
        "INDEX  PROTOCOL     HOST PORT    GUEST IP         GUEST PORT       DESCRIPTION\r\n"
        "0      tcp          2210         192.168.6.10     22               ssh of k3s-master1\r\n"
        "1      udp          5353         192.168.6.10     53\r\n"
    )
    run = FakeRun().on(*cmd("listPortForwardings", "vmnet8"), says=text.encode())
    run.on(*cmd("setPortForwarding", "vmnet8", "tcp", "2210", "192.168.6.10", "22", "ssh of k3s-master1"))
    run.on(*cmd("setPortForwarding", "vmnet8", "udp", "5353", "192.168.6.10", "53"))
    run.on(*cmd("deletePortForwarding", "vmnet8", "tcp", "2210"))
    driver = windows(run)
    assert driver.list_port_forwardings("vmnet8") == (rule, bare)
    driver.set_port_forwarding("vmnet8", rule)
    driver.set_port_forwarding("vmnet8", bare)
    driver.delete_port_forwarding("vmnet8", rule)
    assert len(run.calls) == 4


def test_no_port_forwarding() -> None:
    run = FakeRun().on(*cmd("listPortForwardings", "vmnet8"), says=b"Total port forwardings: 0\r\n")
    assert windows(run).list_port_forwardings("vmnet8") == ()


def test_define_network_is_refused_by_a_vmrun_that_lacks_it() -> None:
    run = FakeRun().on(*cmd("defineNetwork", "VMnet1", "192.168.6.0/24"))
    windows(run).define_network("VMnet1", IPv4Network("192.168.6.0/24"))
    usage = (
        "\r\nvmrun version 1.17.0 build-24583834\r\n\r\nUsage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]\r\n"
    )
    run = FakeRun().on(*cmd("defineNetwork", "VMnet1", "192.168.6.0/24"), says=usage.encode())
    with pytest.raises(errors.UsagePrinted):
        windows(run).define_network("VMnet1", IPv4Network("192.168.6.0/24"))


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
