"""Every verb as the words that a `vmrun` gets, and its answer with the line ends and the -1 of the host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.core.secret import Secret
from harness.vmrun import (
    Display,
    Guest,
    GuestLogin,
    GuestPath,
    PortForwarding,
    Protocol,
    Runtime,
    StopMode,
    VariableKind,
    Vmrun,
    errors,
)

VMX = Path("lab") / "one.vmx"
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
    """A call, the words that it becomes, what they answer, and the value; `inside` calls carry the guest login."""

    call: Callable[[Vmrun], object]
    words: tuple[str, ...]
    says: tuple[str, ...] = ()
    value: object = None
    inside: bool = False


def on(*words: str) -> tuple[str, ...]:
    """Return the words of a verb that is about the machine."""
    return (words[0], str(VMX), *words[1:])


def runtime(vmrun: Vmrun) -> Runtime:
    return vmrun.runtime(VMX)


def guest(vmrun: Vmrun) -> Guest:
    return vmrun.guest(VMX, GuestLogin("lab", Secret("geheim")))


def inside(call: Callable[[Guest], object], *words: str, says: tuple[str, ...] = (), value: object = None) -> Case:
    return Case(lambda vmrun: call(guest(vmrun)), on(*words), says, value, inside=True)


PATH = GuestPath("/a b")
CASES = [
    Case(lambda v: v.stop(VMX, StopMode.SOFT), on("stop", "soft"), value=True),
    Case(lambda v: v.start(VMX, Display.GUI), on("start", "gui"), value=True),
    Case(lambda v: v.pause(VMX), on("pause")),
    Case(lambda v: v.unpause(VMX), on("unpause")),
    Case(lambda v: v.suspend(VMX, StopMode.SOFT), on("suspend", "soft")),
    Case(lambda v: v.upgrade_vm(VMX), on("upgradevm")),
    Case(lambda v: v.delete_vm(VMX), on("deleteVM")),
    Case(lambda v: v.snapshots(VMX).tree().names, on("listSnapshots", "showTree"), ("Total snapshots: 1", "a"), ("a",)),
    Case(lambda v: v.check_tools_state(VMX), on("checkToolsState"), ("installed",), "installed"),
    Case(lambda v: runtime(v).connect_device("sata0:1"), on("connectNamedDevice", "sata0:1")),
    Case(lambda v: runtime(v).disconnect_device("sound"), on("disconnectNamedDevice", "sound")),
    Case(
        lambda v: runtime(v).read_variable(GUEST_VAR, "ip"),
        on("readVariable", "guestVar", "ip"),
        ("1.2.3.4",),
        "1.2.3.4",
    ),
    Case(lambda v: runtime(v).write_variable(GUEST_VAR, "a", "b c"), on("writeVariable", "guestVar", "a", "b c")),
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
    inside(lambda g: g.run_program(PATH), "runProgramInGuest", "/a b", value=0),
    inside(lambda g: g.start_program(PATH), "runProgramInGuest", "-noWait", "/a b"),
    inside(lambda g: g.run_script(PATH, "id\nls"), "runScriptInGuest", "/a b", "id\nls", value=0),
    inside(lambda g: g.list_processes(), "listProcessesInGuest", says=("Process list: 0",), value=()),
    inside(lambda g: g.kill_process(7), "killProcessInGuest", "7"),
    inside(lambda g: g.file_exists(PATH), "fileExistsInGuest", "/a b", says=("The file exists.",), value=True),
    inside(
        lambda g: g.directory_exists(PATH),
        "directoryExistsInGuest",
        "/a b",
        says=("The directory exists.",),
        value=True,
    ),
    inside(lambda g: g.delete_file(PATH), "deleteFileInGuest", "/a b"),
    inside(lambda g: g.rename_file(PATH, GuestPath("/c")), "renameFileInGuest", "/a b", "/c"),
    inside(lambda g: g.create_directory(PATH), "createDirectoryInGuest", "/a b"),
    inside(lambda g: g.delete_directory(PATH), "deleteDirectoryInGuest", "/a b"),
    inside(
        lambda g: g.list_directory(PATH), "listDirectoryInGuest", "/a b", says=("Directory list: 1", "x"), value=("x",)
    ),
    inside(lambda g: g.create_temporary_file(), "CreateTempfileInGuest", says=("/a b",), value=PATH),
    inside(lambda g: g.copy_to_guest(VMX, PATH), "CopyFileFromHostToGuest", str(VMX.resolve()), "/a b"),
]


def argv(platform: str, case: Case) -> tuple[str, ...]:
    login = ("-gu", "lab", "-gp", "geheim") if case.inside else ()
    return (HOSTS[platform][0], "-T", "ws", *login, *case.words)


def driver(platform: str, run: FakeRun) -> Vmrun:
    program = HOSTS[platform][0]
    run.on(program, "-T", "ws", "list", says="Total running VMs: 0\n")
    return Vmrun((program,), run=run, clock=run.clock, platform=platform)


@pytest.mark.parametrize("platform", HOSTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words[0])
def test_a_verb_becomes_these_words_and_its_answer_this_value(case: Case, platform: str) -> None:
    said = "".join(line + HOSTS[platform][1] for line in case.says)
    run = FakeRun().on(*argv(platform, case), says=said.encode())
    assert case.call(driver(platform, run)) == case.value
    assert run.calls.count(argv(platform, case)) == 1


@pytest.mark.parametrize("platform", HOSTS)
@pytest.mark.parametrize("as_success", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words[0])
def test_a_failure_of_any_verb_is_its_class_also_with_the_status_of_a_success(
    case: Case, platform: str, as_success: bool
) -> None:
    _, line_end, minus_one = HOSTS[platform]
    said = f"Error: The file is already in use{line_end}".encode()
    run = FakeRun().on(*argv(platform, case), says=(said, 0 if as_success else minus_one))
    with pytest.raises(errors.VmBusy) as caught:
        case.call(driver(platform, run))
    assert "geheim" not in str(caught.value)
