"""The command line: flags, verbs, parameters, usage text, streams and statuses."""

from __future__ import annotations

import re

from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import FAILURE, Answer, Bench
from vmrun_contract.states import TOOLS_UNKNOWN

USAGE = "Usage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]"


def is_usage(answer: Answer) -> bool:
    return answer.code != 0 and USAGE in answer.lines


@behaviour("", "no arguments: an empty line, `vmrun version V build-N`, an empty line, the usage; not 0", "TP")
def test_no_arguments_print_version_and_usage(bench: Bench) -> None:
    answer = bench.plain()
    head = answer.text.split("\n")[:4]
    assert head[0] == ""
    assert re.fullmatch(r"vmrun version \d+(\.\d+)+ build-\d+", head[1])
    assert head[2:] == ["", USAGE]
    assert is_usage(answer)


@behaviour("list", "flags after the command: the usage text", "T")
def test_flags_after_the_command_print_the_usage(bench: Bench) -> None:
    assert is_usage(bench("list", "-T", "ws"))


@behaviour("", "an unknown flag: `Invalid argument: --help`, then version and usage", "T")
def test_an_unknown_flag_is_named_above_the_usage(bench: Bench) -> None:
    answer = bench.plain("--help")
    assert answer.lines[0] == "Invalid argument: --help"
    assert is_usage(answer)


@behaviour("", "an unknown command: `Error: Unrecognized command: …`", "P", settles="unknown-command")
def test_an_unknown_command_fails(bench: Bench) -> None:
    answer = bench("frobnicate")
    has_text = not is_usage(answer)
    if has_text:
        assert answer.fails().startswith("Unrecognized command: ")
    bench.settle("unknown-command", "text" if has_text else "usage")


@behaviour("start", "a command without its VMX: `No Vm name provided`", "P", settles="missing-vmx")
def test_a_command_without_its_machine_fails(bench: Bench) -> None:
    answer = bench("start")
    has_text = "No Vm name provided" in answer.text
    assert answer.code != 0
    assert has_text or is_usage(answer)
    bench.settle("missing-vmx", "text" if has_text else "usage")


@behaviour("list", "`list` without machines: `Total running VMs: 0`, status 0; `-T` is not needed", "TP")
def test_the_host_type_is_not_needed(bench: Bench) -> None:
    for answer in (bench("list"), bench.plain("list")):
        assert answer.code == 0
        assert answer.lines[0] == f"Total running VMs: {len(answer.lines) - 1}"


@behaviour("list checkToolsState", "commands match without case", "TP")
def test_commands_match_without_case(bench: Bench) -> None:
    vm = bench.machine("one")
    running = bench("LIST")
    assert (running.code, running.lines[0]) == (0, f"Total running VMs: {len(running.lines) - 1}")
    tools = bench("checktoolsstate", vm)
    assert (tools.code, tools.lines) == (TOOLS_UNKNOWN, ["unknown"])


@behaviour("checkToolsState", "authentication flags come in any order", "P")
def test_flags_come_in_any_order(bench: Bench) -> None:
    vm = bench.machine("one")
    flags = ("-T", "ws"), ("-gu", "somebody"), ("-gp", "something")
    for order in (flags, flags[::-1]):
        words = [word for flag in order for word in flag]
        tools = bench.plain(*words, "checkToolsState", vm)
        assert (tools.code, tools.lines) == (TOOLS_UNKNOWN, ["unknown"])


@behaviour(
    "start checkToolsState",
    "a VMX that is not there: `Cannot open VM: <vmx>, The virtual machine cannot be found`, -1",
    "T",
    settles="failure-status exit-zero-with-error",
)
def test_a_machine_that_is_not_there(bench: Bench) -> None:
    vm = bench.vm("nobody")
    wanted = f"Cannot open VM: {vm}, The virtual machine cannot be found"
    for words in (("start", vm, "nogui"), ("stop", vm, "hard"), ("getGuestIPAddress", vm)):
        bench(*words).fails(wanted)


@behaviour("start", "a parameter in the VMX's place is taken for its path: `Cannot open VM: <that>, …`", "T")
def test_a_misplaced_parameter_is_taken_for_a_path(bench: Bench) -> None:
    assert bench("start", "nogui").fails().startswith("Cannot open VM: nogui, ")


@behaviour("start", "a malformed VMX: `Cannot open VM: <vmx>, Cannot read the virtual machine configuration file`", "T")
def test_a_machine_whose_file_is_malformed(bench: Bench) -> None:
    vm = bench.vm("broken")
    bench.write(vm, "this is no setting\n")
    bench("start", vm, "nogui").fails(f"Cannot open VM: {vm}, Cannot read the virtual machine configuration file")


@behaviour("list", "an answer to a machine goes to standard output, failures too; standard error stays empty", "T")
def test_failures_are_printed_on_standard_output(bench: Bench) -> None:
    vm = bench.machine("one")
    answer = bench("stop", vm, "hard")  # the bench asserts that standard error is empty
    assert answer.lines == [f"Error: The virtual machine is not powered on: {vm}"]
    assert answer.code in (FAILURE, 0)
