"""The command line of `vmrun-qemu`: VMware's grammar, exit statuses and usage text.

`vmrun-qemu [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]`: flags come before the command, commands match without case.
A failure is one line `Error: …` on standard output and the status 255, VMware's -1.
"""

from __future__ import annotations

import functools
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from harness.vmrun_qemu.base.messages import EXIT_FAILURE, Failure, cannot_open, not_found, of_os_error, print_line
from harness.vmrun_qemu.verbs import ANY_NUMBER, EXTRA_VERBS, VERBS, VERSION

_FLAGS = ("-T", "-vp", "-gu", "-gp")
_BY_LOWER = {name.lower(): name for name in VERBS}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except Failure as failure:
        print_line(f"Error: {failure.text}")
        return failure.code
    except BrokenPipeError:
        return EXIT_FAILURE
    except OSError as error:
        print_line(f"Error: {of_os_error(error)}")
        return EXIT_FAILURE


def _run(words: list[str]) -> int:
    flags: dict[str, str] = {}
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag not in _FLAGS or not words:
            print_line(f"Invalid argument: {flag}")
            return _usage()
        flags[flag] = words.pop(0)
    if not words:
        return _usage()
    name, parameters = _BY_LOWER.get(words[0].lower()), words[1:]
    if name is None:
        raise Failure(f"Unrecognized command: {words[0]}")
    verb = VERBS[name]
    # The parameters of a guest program may look like flags.
    if verb.max_parameters < ANY_NUMBER and any(word in _FLAGS for word in parameters):
        return _usage()
    if verb.on_vm and not parameters:
        print_line("No Vm name provided")
        return EXIT_FAILURE
    if verb.on_vm:
        _check_vm(parameters[0])
    if not verb.min_parameters <= len(parameters) <= verb.max_parameters:
        return _usage()
    module, _, function = verb.target.partition(":")
    target = getattr(importlib.import_module(f"harness.vmrun_qemu.{module}"), function)
    if os.environ.get("VMRUN_QEMU_FAULTS"):
        return _with_faults(name, parameters, functools.partial(target, parameters, flags))
    return int(target(parameters, flags))


def _with_faults(name: str, parameters: Sequence[str], act: Callable[[], int]) -> int:
    from harness.vmrun_qemu.faults import catalog, injection  # noqa: PLC0415 - 80 ms, only with faults

    call = injection.Call(name, parameters, act)
    return injection.carry_out(os.environ[injection.VARIABLE], catalog.FAULTS, call)


def _check_vm(path: str) -> None:
    """Check that the path is that of an existing VMX file.

    Raises:
        Failure: It is not; the text is VMware's message.
    """
    if not path.lower().endswith(".vmx"):
        raise cannot_open(path, "unknown file suffix")
    if not os.path.isfile(path):  # noqa: PTH113 - pathlib costs a tenth of the time of `list`
        raise not_found(path)


def _usage() -> int:
    print_line("")
    print_line(VERSION)
    print_line("")
    print_line("Usage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]")
    print_line("")
    print_line("AUTHENTICATION-FLAGS")
    print_line("--------------------")
    print_line("These must appear before the command and any command parameters.")
    print_line("")
    print_line("   -T <HostType> (ws|fusion||player)")
    print_line("   -vp <password for encrypted virtual machine>")
    print_line("   -gu <userName in guest OS>")
    print_line("   -gp <password in guest OS>")
    print_line("")
    print_line("COMMANDS                 PARAMETERS           DESCRIPTION")
    print_line("--------                 ----------           -----------")
    for name, verb in VERBS.items():
        print_line(f"{name:<24} {verb.usage:<20} {verb.help}".rstrip())
    print_line("")
    print_line(f"This is vmrun-qemu, the same on QEMU. VMware's own vmrun has no {', '.join(EXTRA_VERBS)}.")
    return EXIT_FAILURE
