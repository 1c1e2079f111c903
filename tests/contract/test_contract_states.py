"""Power, suspend and pause: states, answers and files of a machine."""

from __future__ import annotations

import os

import pytest
from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Bench
from vmrun_contract.states import ALREADY_RUNNING, TOOLS_UNKNOWN, not_powered_on, paused, started, suspended


@behaviour("start stop list", "`start` and `stop hard` say nothing; `list` has the VMX path while it runs", "T")
def test_a_machine_is_listed_while_it_runs(bench: Bench) -> None:
    vm = bench.machine("one")
    assert bench.listed() == []
    bench("start", vm, "nogui").silent()
    assert bench.listed() == ["one"]
    bench("stop", vm, "hard").silent()
    assert bench.listed() == []


@behaviour("list", "a machine has one line in `list`, without any suffix", "T")
def test_a_line_of_list_is_a_path_and_nothing_else(bench: Bench) -> None:
    started(bench)
    assert bench.listed() == ["one"]
    assert all(line.lower().endswith(".vmx") for line in bench("list").lines[1:])


@behaviour(
    "stop reset suspend pause getGuestIPAddress",
    "a machine that is off: `The virtual machine is not powered on: <vmx>`, -1",
    "TD",
)
def test_what_a_machine_that_is_off_answers(bench: Bench) -> None:
    vm = bench.machine("one")
    for words in (
        ("stop", vm, "hard"),
        ("reset", vm, "hard"),
        ("suspend", vm, "hard"),
        ("pause", vm),
        ("getGuestIPAddress", vm),
    ):
        bench(*words).fails(not_powered_on(vm))


@behaviour("checkToolsState", "a machine that is off: `unknown`, status -2", "T")
def test_tools_of_a_machine_that_is_off_are_unknown(bench: Bench) -> None:
    vm = bench.machine("one")
    answer = bench("checkToolsState", vm)
    assert (answer.code, answer.lines) == (TOOLS_UNKNOWN, ["unknown"])


@behaviour(
    "checkToolsState getGuestIPAddress",
    "without Tools: `unknown`, and no address: `The VMware Tools are not running in the virtual machine: <vmx>`",
    "T",
)
def test_tools_that_never_came_up(bench: Bench) -> None:
    vm = started(bench)
    answer = bench("checkToolsState", vm)
    assert (answer.code, answer.lines) == (TOOLS_UNKNOWN, ["unknown"])
    bench("getGuestIPAddress", vm).fails(f"The VMware Tools are not running in the virtual machine: {vm}")


@behaviour(
    "start", "`start` of a running machine: nothing and 0, or an error; it runs on", "TPD", settles="start-twice"
)
def test_a_second_start_leaves_the_machine_running(bench: Bench) -> None:
    vm = started(bench)
    answer = bench("start", vm, "nogui")
    bench.settle("start-twice", "error" if answer.failed else "silent")
    if not answer.failed:
        answer.silent()
    else:
        answer.fails(ALREADY_RUNNING, "The file is already in use", "The operation was canceled")
    assert bench.listed() == ["one"]


@behaviour(
    "start",
    "`start gui` without a display (Linux): `Cannot launch the UI because no display server is present …`",
    "T",
)
def test_a_window_needs_a_display(bench: Bench) -> None:
    if bench.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        pytest.skip("this host has a display")
    vm = bench.machine("one")
    bench("start", vm).fails("Cannot launch the UI because no display server is present in the current environment")
    assert bench.listed() == []


@behaviour("stop", "locks are directories `*.lck`, there while it runs, gone when it is off", "T")
def test_locks_last_as_long_as_the_machine_runs(bench: Bench) -> None:
    vm = started(bench)
    assert f"{vm.name}.vmx.lck" in bench.look("locks", vm)
    bench("stop", vm, "hard").silent()
    bench.eventually(lambda: bench.look("locks", vm) == [])


@behaviour(
    "start stop",
    "the VMX is written from memory: a generated MAC address at power-on, edits while it runs are lost at power-off",
    "T",
)
def test_the_machine_file_is_rewritten_from_memory(bench: Bench) -> None:
    vm = started(bench)
    address = bench.look("setting", vm, "ethernet0.generatedAddress")
    assert address.lower().startswith("00:0c:29:")
    bench.edit(vm, "annotation", "edited while it runs")
    bench("stop", vm, "hard").silent()
    bench.eventually(lambda: bench.look("locks", vm) == [])
    assert bench.look("setting", vm, "annotation") is None
    assert bench.look("setting", vm, "ethernet0.generatedAddress") == address


@behaviour(
    "stop", "`stop` without a word and without Tools: cuts the power, or wants Tools", "I", settles="stop-default"
)
def test_a_stop_without_a_word(bench: Bench) -> None:
    vm = started(bench)
    answer = bench.within(15, "stop", vm)
    off = bench.listed() == []
    bench.settle("stop-default", "hard" if off else "soft")
    if answer is not None and off:
        answer.silent()
    elif answer is not None:
        answer.fails()


@behaviour(
    "stop", "`stop soft` without Tools hangs or fails; `stop hard` then works", "TD", settles="stop-soft-without-tools"
)
def test_a_soft_stop_without_tools_leaves_the_machine_to_a_hard_one(bench: Bench) -> None:
    vm = started(bench)
    answer = bench.within(8, "stop", vm, "soft")
    bench.settle("stop-soft-without-tools", "hangs" if answer is None else "error")
    if answer is not None:
        answer.fails()
    assert bench.listed() == ["one"]
    bench("stop", vm, "hard").silent()
    assert bench.listed() == []


@behaviour("reset", "`reset hard` says nothing; the machine runs on (it was once seen off)", "T", settles="reset-hard")
def test_a_hard_reset(bench: Bench) -> None:
    vm = started(bench)
    bench("reset", vm, "hard").silent()
    bench.settle("reset-hard", "running" if bench.listed() == ["one"] else "off")


@behaviour("reset", "`reset soft` without Tools fails", "D")
def test_a_soft_reset_needs_tools(bench: Bench) -> None:
    vm = started(bench)
    answer = bench.within(15, "reset", vm, "soft")
    if answer is not None:
        answer.fails()
    assert bench.listed() == ["one"]


@behaviour(
    "suspend start",
    "a suspended machine is not listed; `checkpoint.vmState` names its `.vmss`; `start` resumes it",
    "TD",
)
def test_a_suspended_machine_is_not_listed_and_resumes(bench: Bench) -> None:
    vm = suspended(bench)
    assert bench.listed() == []
    state = bench.look("setting", vm, "checkpoint.vmState")
    assert state.lower().endswith(".vmss")
    assert ".vmss" in bench.look("suffixes", vm)
    bench("start", vm, "nogui").silent()
    assert bench.listed() == ["one"]


@behaviour(
    "stop suspend",
    "`stop` of a suspended machine: `not powered on`, and it stays suspended",
    "TD",
    settles="suspended-stop",
)
def test_a_suspended_machine_cannot_be_stopped(bench: Bench) -> None:
    vm = suspended(bench)
    answer = bench("stop", vm, "hard")
    bench.settle("suspended-stop", "refused" if answer.failed else "discarded")
    answer.fails(not_powered_on(vm))
    assert bench.look("setting", vm, "checkpoint.vmState").lower().endswith(".vmss")


@behaviour("pause unpause list", "a paused machine is listed as before; `pause` and `unpause` say nothing", "TP")
def test_a_paused_machine_is_listed(bench: Bench) -> None:
    vm = started(bench)
    bench("pause", vm).silent()
    assert bench.listed() == ["one"]
    bench("unpause", vm).silent()
    assert bench.listed() == ["one"]
    bench("stop", vm, "hard").silent()


@behaviour("pause listProcessesInGuest", "on a paused machine: `The virtual machine is paused: <vmx>`", "T")
def test_a_paused_machine_refuses_guest_operations(bench: Bench) -> None:
    vm = started(bench)
    bench("pause", vm).silent()
    bench("listProcessesInGuest", vm, login=("somebody", "something")).fails(paused(vm))


@behaviour(
    "pause stop",
    "a power operation on a paused machine: `The virtual machine is paused: <vmx>`",
    "T",
    settles="paused-power",
)
def test_a_paused_machine_and_the_power(bench: Bench) -> None:
    vm = started(bench)
    bench("pause", vm).silent()
    answer = bench("reset", vm, "hard")
    answer.fails(paused(vm))
    stopped = bench("stop", vm, "hard")
    bench.settle("paused-power", stopped.error or "silent")
    if stopped.failed:
        stopped.fails(paused(vm))
    else:
        stopped.silent()
    assert bench.listed() == (["one"] if stopped.failed else [])


@behaviour("pause suspend", "a paused machine can be suspended", "T")
def test_a_paused_machine_can_be_suspended(bench: Bench) -> None:
    vm = started(bench)
    bench("pause", vm).silent()
    bench("suspend", vm, "hard").silent()
    assert bench.listed() == []


@behaviour("deleteVM", "a running machine is not deleted: an error, and it runs on", "I", settles="delete-running")
def test_a_running_machine_is_not_deleted(bench: Bench) -> None:
    vm = started(bench)
    answer = bench("deleteVM", vm)
    answer.fails()
    bench.settle("delete-running", answer.error)
    assert bench.listed() == ["one"]
    assert bench.look("exists", vm)


@behaviour(
    "deleteVM", "removes the machine's files and says nothing; a file that is not its own stays, and its folder", "P"
)
def test_a_deleted_machine_leaves_what_is_not_its_own(bench: Bench) -> None:
    vm = bench.machine("one")
    note = bench.path("one", "notes.txt")
    bench.write(note, "mine\n")
    bench("deleteVM", vm).silent()
    assert not bench.look("exists", vm)
    assert not bench.look("exists", bench.path("one", "disk.vmdk"))
    assert bench.look("exists", note)
    bench("start", vm, "nogui").fails(f"Cannot open VM: {vm}, The virtual machine cannot be found")


@behaviour(
    "upgradevm",
    "of a machine that is off: says nothing, or that it is up to date; the machine still starts",
    "ID",
    settles="upgradevm-output",
)
def test_an_upgrade_of_the_virtual_hardware(bench: Bench) -> None:
    vm = bench.machine("one")
    answer = bench("upgradevm", vm)
    bench.settle("upgradevm-output", answer.text.strip() or "nothing")
    assert not answer.failed or "up to date" in answer.text or "newer" in answer.text, answer
    bench("start", vm, "nogui").silent()


@behaviour(
    "start",
    "what cannot be powered on: `The operation was canceled`, the reason in `vmware.log` behind `Msg_Post: Error`",
    "TP",
)
def test_the_reason_of_a_canceled_start_is_in_the_log(bench: Bench) -> None:
    vm = bench.machine("one", **{"sata0:0_fileName": "nowhere.vmdk"})
    bench("start", vm, "nogui").fails("The operation was canceled", "A file was not found", "Unknown error")
    assert "nowhere.vmdk" in bench.look("reason", vm)
    assert bench.listed() == []
