"""Guest operations, variables and devices of a machine without a guest."""

from __future__ import annotations

from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Bench, Vm
from vmrun_contract.states import not_powered_on, started

LOGIN = ("somebody", "something")
ANONYMOUS = (
    "Anonymous guest operations are not allowed on this virtual machine. "
    "You must call VixVM_LoginInGuest before performing guest operations"
)


def tools_not_running(vm: Vm) -> str:
    return f"The VMware Tools are not running in the virtual machine: {vm}"


def operations(bench: Bench, vm: Vm) -> list[tuple[str, ...]]:
    """Return a call of each guest operation."""
    here, there = bench.path("here.txt"), "/tmp/there.txt"
    return [
        ("runProgramInGuest", vm, "/bin/true"),
        ("runScriptInGuest", vm, "/bin/sh", "exit 0"),
        ("listProcessesInGuest", vm),
        ("killProcessInGuest", vm, "1"),
        ("fileExistsInGuest", vm, there),
        ("directoryExistsInGuest", vm, there),
        ("deleteFileInGuest", vm, there),
        ("createDirectoryInGuest", vm, there),
        ("deleteDirectoryInGuest", vm, there),
        ("renameFileInGuest", vm, there, there + "2"),
        ("createTempfileInGuest", vm),
        ("listDirectoryInGuest", vm, "/"),
        ("copyFileFromHostToGuest", vm, here, there),
        ("copyFileFromGuestToHost", vm, there, here),
    ]


GUEST_VERBS = (
    "runProgramInGuest runScriptInGuest listProcessesInGuest killProcessInGuest fileExistsInGuest "
    "directoryExistsInGuest deleteFileInGuest createDirectoryInGuest deleteDirectoryInGuest renameFileInGuest "
    "createTempfileInGuest listDirectoryInGuest copyFileFromHostToGuest copyFileFromGuestToHost"
)


@behaviour(
    GUEST_VERBS, "on a machine without Tools: `The VMware Tools are not running in the virtual machine: <vmx>`", "T"
)
def test_guest_operations_need_tools(bench: Bench) -> None:
    vm = started(bench)
    bench.write(bench.path("here.txt"), "here\n")
    for words in operations(bench, vm):
        bench(*words, login=LOGIN).fails(tools_not_running(vm))


@behaviour(GUEST_VERBS, "on a machine that is off: `The virtual machine is not powered on: <vmx>`", "T")
def test_guest_operations_need_a_running_machine(bench: Bench) -> None:
    vm = bench.machine("one")
    bench.write(bench.path("here.txt"), "here\n")
    for words in operations(bench, vm):
        bench(*words, login=LOGIN).fails(not_powered_on(vm))


@behaviour(
    "listProcessesInGuest", "without Tools and without a login: one of the two is reported", "I", settles="guest-order"
)
def test_which_is_missed_first_tools_or_login(bench: Bench) -> None:
    vm = started(bench)
    answer = bench("listProcessesInGuest", vm).fails(tools_not_running(vm), ANONYMOUS)
    bench.settle("guest-order", "login" if answer == ANONYMOUS else "tools")


@behaviour("captureScreen", "without Tools: fails, or gives a PNG", "TP", settles="capture-needs")
def test_the_screen_of_a_machine_without_tools(bench: Bench) -> None:
    vm, png = started(bench), bench.path("screen.png")
    answer = bench("captureScreen", vm, png, login=LOGIN)
    bench.settle("capture-needs", "tools" if answer.failed else "nothing")
    if answer.failed:
        answer.fails(tools_not_running(vm))
    assert bench.look("png", png) is not answer.failed


@behaviour("captureScreen", "of a machine that is off: `The virtual machine is not powered on: <vmx>`", "T")
def test_the_screen_of_a_machine_that_is_off(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("captureScreen", vm, bench.path("screen.png"), login=LOGIN).fails(not_powered_on(vm))


@behaviour(
    "readVariable", "`runtimeConfig` of a name that is not set: an empty line, status 0; else the VMX's value", "T"
)
def test_a_variable_of_the_machine_is_read(bench: Bench) -> None:
    vm = started(bench)
    unset = bench("readVariable", vm, "runtimeConfig", "there.is.none")
    assert (unset.code, unset.text.strip()) == (0, "")
    bench("readVariable", vm, "runtimeConfig", "displayName").says("one")


@behaviour(
    "writeVariable readVariable",
    "a `runtimeConfig` or `guestVar` that is written is read back, and lost at power-off; no login is needed",
    "DI",
    settles="write-variable-output",
)
def test_a_variable_is_written_until_power_off(bench: Bench) -> None:
    vm = started(bench)
    for kind in ("guestVar", "runtimeConfig"):
        written = bench("writeVariable", vm, kind, "contract", f"a {kind}")
        assert not written.failed, written
        bench.settle("write-variable-output", written.text.strip() or "nothing")
        bench("readVariable", vm, kind, "contract").says(f"a {kind}")
    bench("stop", vm, "hard").silent()
    bench("start", vm, "nogui").silent()
    for kind in ("guestVar", "runtimeConfig"):
        again = bench("readVariable", vm, kind, "contract")
        assert (again.code, again.text.strip()) == (0, "")


@behaviour(
    "readVariable writeVariable", "`guestVar x` is `guestinfo.x` of the VMX; the prefix may be given", "TP",
    settles="guestvar-prefix",
)  # fmt: skip
def test_the_guests_variables_are_those_of_the_machine_file(bench: Bench) -> None:
    vm = bench.machine("one", guestinfo_contract="from the file")
    bench("start", vm, "nogui").silent()
    bench("readVariable", vm, "guestVar", "contract").says("from the file")
    answer = bench("readVariable", vm, "guestVar", "guestinfo.contract")
    bench.settle("guestvar-prefix", "both" if answer.lines else "bare")
    assert (answer.code, answer.lines) in ((0, []), (0, ["from the file"]))


@behaviour(
    "connectNamedDevice disconnectNamedDevice",
    "a device of the VMX by its key (`sata0:1`, `ethernet0`) is taken out and put back; the VMX on disk stays",
    "TP",
    settles="named-device-output",
)
def test_a_device_is_taken_out_and_put_back(bench: Bench) -> None:
    vm = bench.machine("one", **{"sata0:1_startConnected": "TRUE"})
    bench("start", vm, "nogui").silent()
    for verb in ("disconnectNamedDevice", "connectNamedDevice"):
        for device in ("sata0:1", "ethernet0"):
            answer = bench(verb, vm, device)
            assert not answer.failed, answer
            bench.settle("named-device-output", answer.text.strip() or "nothing")
    assert bench.listed() == ["one"]
    assert not bench("disconnectNamedDevice", vm, "sata0:1").failed
    bench("stop", vm, "hard").silent()
    bench.eventually(lambda: bench.look("locks", vm) == [])
    assert bench.look("setting", vm, "sata0:1.startConnected") == "TRUE"


@behaviour("disconnectNamedDevice", "a device that is not there: an error", "I", settles="named-device-unknown")
def test_a_device_that_is_not_there(bench: Bench) -> None:
    vm = started(bench)
    answer = bench("disconnectNamedDevice", vm, "sata9:9")
    bench.settle("named-device-unknown", answer.text.strip() or "nothing")
    answer.fails()


@behaviour("disconnectNamedDevice", "of a machine that is off: `The virtual machine is not powered on: <vmx>`", "I")
def test_the_devices_of_a_machine_that_is_off(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("disconnectNamedDevice", vm, "sata0:1").fails(not_powered_on(vm))


@behaviour(
    "installTools", "on a running machine: says nothing, or why not; it runs on", "DI", settles="install-tools-output"
)
def test_the_medium_of_the_tools(bench: Bench) -> None:
    vm = started(bench)
    answer = bench("installTools", vm)
    bench.settle("install-tools-output", answer.text.strip() or "nothing")
    if answer.failed:
        answer.fails()
    assert bench.listed() == ["one"]
