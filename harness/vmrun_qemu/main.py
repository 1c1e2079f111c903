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
from typing import NamedTuple

from harness.vmrun_qemu.base.messages import EXIT_FAILURE, Failure, cannot_open, not_found, of_os_error, say

VERSION = "vmrun version 1.17.0 build-24583834"
_ANY = 1 << 16
_FLAGS = ("-T", "-vp", "-gu", "-gp")


class Verb(NamedTuple):
    """One command: where its function is, its parameters for the usage text, and how many it needs and takes."""

    target: str
    usage: str
    least: int
    most: int
    help: str

    @property
    def on_vm(self) -> bool:
        """Whether the first parameter is a VMX path."""
        return self.usage.startswith("Path to vmx")


# The function `module:name` takes (parameters, flags) and returns the exit status.
VMWARES = {
    "list": Verb("commands.power:list_running", "", 0, 0, "List all running VMs"),
    "start": Verb("commands.power:start", "Path to vmx file [gui|nogui]", 1, 2, "Start a VM"),
    "stop": Verb("commands.power:stop", "Path to vmx file [hard|soft]", 1, 2, "Stop a VM"),
    "reset": Verb("commands.power:reset", "Path to vmx file [hard|soft]", 1, 2, "Reset a VM"),
    "suspend": Verb("commands.suspend:suspend", "Path to vmx file [hard|soft]", 1, 2, "Suspend a VM"),
    "pause": Verb("commands.suspend:pause", "Path to vmx file", 1, 1, "Pause a VM"),
    "unpause": Verb("commands.suspend:unpause", "Path to vmx file", 1, 1, "Unpause a VM"),
    "listSnapshots": Verb(
        "commands.snapshot:list_snapshots", "Path to vmx file [showTree]", 1, 2, "List all snapshots in a VM"
    ),
    "snapshot": Verb("commands.snapshot:snapshot", "Path to vmx file Snapshot name", 2, 2, "Create a snapshot of a VM"),
    "deleteSnapshot": Verb(
        "commands.snapshot:delete", "Path to vmx file Snapshot name [andDeleteChildren]",
        2, 3, "Remove a snapshot from a VM",
    ),
    "revertToSnapshot": Verb(
        "commands.snapshot:revert", "Path to vmx file Snapshot name", 2, 2, "Set VM state to a snapshot"
    ),
    "clone": Verb(
        "commands.general:clone",
        "Path to vmx file Path to destination vmx file full|linked [-snapshot=Snapshot Name] [-cloneName=Name]",
        3, 7, "Create a copy of the VM",
    ),
    "upgradevm": Verb("commands.general:upgrade_vm", "Path to vmx file", 1, 1, "Upgrade VM file format, virtual hw"),
    "deleteVM": Verb("commands.general:delete_vm", "Path to vmx file", 1, 1, "Delete a VM"),
    "checkToolsState": Verb("commands.tools:check_tools_state", "Path to vmx file", 1, 1, "Check the state of Tools"),
    "getGuestIPAddress": Verb("commands.tools:guest_address", "Path to vmx file [-wait]", 1, 2, "Get the guest's IP"),
    "runProgramInGuest": Verb(
        "commands.guest_programs:run_program",
        "Path to vmx file [-noWait] [-activeWindow] [-interactive] Complete-Path-To-Program [Program arguments]",
        2, _ANY, "Run a program in Guest OS",
    ),
    "runScriptInGuest": Verb(
        "commands.guest_programs:run_script",
        "Path to vmx file [-noWait] [-activeWindow] [-interactive] Interpreter path Script text",
        3, 6, "Run a script in Guest OS",
    ),
    "listProcessesInGuest": Verb(
        "commands.guest_programs:list_processes", "Path to vmx file", 1, 1, "List running processes in Guest OS"
    ),
    "killProcessInGuest": Verb(
        "commands.guest_programs:kill_process", "Path to vmx file process id", 2, 2, "Kill a process in Guest OS"
    ),
    "fileExistsInGuest": Verb(
        "commands.guest_files:file_exists", "Path to vmx file Path to file in guest",
        2, 2, "Check if a file exists in Guest OS",
    ),
    "directoryExistsInGuest": Verb(
        "commands.guest_files:directory_exists", "Path to vmx file Path to directory in guest",
        2, 2, "Check if a directory exists in Guest OS",
    ),
    "deleteFileInGuest": Verb(
        "commands.guest_files:delete_file", "Path to vmx file Path in guest", 2, 2, "Delete a file in Guest OS"
    ),
    "createDirectoryInGuest": Verb(
        "commands.guest_files:create_directory", "Path to vmx file Directory path in guest",
        2, 2, "Create a directory in Guest OS",
    ),
    "deleteDirectoryInGuest": Verb(
        "commands.guest_files:delete_directory", "Path to vmx file Directory path in guest",
        2, 2, "Delete a directory in Guest OS",
    ),
    "renameFileInGuest": Verb(
        "commands.guest_files:rename", "Path to vmx file Original name New name", 3, 3, "Rename a file in Guest OS"
    ),
    "CreateTempfileInGuest": Verb(
        "commands.guest_files:create_temporary", "Path to vmx file", 1, 1, "Create a temporary file in Guest OS"
    ),
    "listDirectoryInGuest": Verb(
        "commands.guest_files:list_directory", "Path to vmx file Directory path in guest",
        2, 2, "List a directory in Guest OS",
    ),
    "CopyFileFromHostToGuest": Verb(
        "commands.guest_copy:to_guest", "Path to vmx file Path on host Path in guest",
        3, 3, "Copy a file from host OS to guest OS",
    ),
    "CopyFileFromGuestToHost": Verb(
        "commands.guest_copy:to_host", "Path to vmx file Path in guest Path on host",
        3, 3, "Copy a file from guest OS to host OS",
    ),
    "captureScreen": Verb("commands.screen:capture", "Path to vmx file Path on host", 2, 2, "Capture the screen"),
    "typeKeystrokesInGuest": Verb(
        "commands.screen:type_keystrokes", "Path to vmx file keystroke string", 2, 2, "Type keystrokes in Guest OS"
    ),
    "readVariable": Verb(
        "commands.variables:read", "Path to vmx file [runtimeConfig|guestEnv|guestVar] variable name",
        3, 3, "Read a variable in the VM state",
    ),
    "writeVariable": Verb(
        "commands.variables:write", "Path to vmx file [runtimeConfig|guestEnv|guestVar] variable name variable value",
        4, 4, "Write a variable in the VM state",
    ),
    "connectNamedDevice": Verb(
        "commands.device:connect", "Path to vmx file device name", 2, 2, "Connect the named device in the VM"
    ),
    "disconnectNamedDevice": Verb(
        "commands.device:disconnect", "Path to vmx file device name", 2, 2, "Disconnect the named device in the VM"
    ),
    "installTools": Verb("commands.unsupported:install_tools", "Path to vmx file", 1, 1, "Install Tools in Guest"),
    "enableSharedFolders": Verb(
        "commands.unsupported:shared_folder", "Path to vmx file [runtime]", 1, 2, "Enable shared folders in Guest"
    ),
    "disableSharedFolders": Verb(
        "commands.unsupported:shared_folder", "Path to vmx file [runtime]", 1, 2, "Disable shared folders in Guest"
    ),
    "addSharedFolder": Verb(
        "commands.unsupported:shared_folder", "Path to vmx file Share name Path to folder on host",
        3, 3, "Add a Host-Guest shared folder",
    ),
    "setSharedFolderState": Verb(
        "commands.unsupported:shared_folder", "Path to vmx file Share name Path to folder on host writable|readonly",
        4, 4, "Modify a Host-Guest shared folder",
    ),
    "removeSharedFolder": Verb(
        "commands.unsupported:shared_folder", "Path to vmx file Share name", 2, 2, "Remove a Host-Guest shared folder"
    ),
    "listHostNetworks": Verb("commands.network:list_networks", "", 0, 0, "List all networks of the host"),
    "listPortForwardings": Verb(
        "commands.network:list_forwards", "Host network name", 1, 1, "List all port forwardings on a host network"
    ),
    "setPortForwarding": Verb(
        "commands.network:set_forward",
        "Host network name, Protocol, Host port, Guest IP, Guest port [Description]",
        5, 6, "Set a port forwarding on a host network",
    ),
    "deletePortForwarding": Verb(
        "commands.network:delete_forward", "Host network name, Protocol, Host port", 3, 3, "Delete a port forwarding"
    ),
}  # fmt: skip
# What a machine without VMware needs besides.
EXTENSIONS = {
    "about": Verb("commands.extensions:about", "", 0, 0, "Say as JSON which QEMU and accelerator are used, and why"),
    "removeState": Verb(
        "commands.extensions:remove_state", "", 0, 0, "Remove what this program remembers; no machine may run"
    ),
    "defineNetwork": Verb(
        "commands.network:define_network", "vmnetN Subnet [hostOnly|nat]", 2, 3, "Give a network its subnet"
    ),
    "setService": Verb(
        "commands.service:set_service", "Host network name, Address, Port, Host port", 4, 4,
        "Have a TCP service of the host's loopback answer the guests of a network",
    ),
    "listServices": Verb(
        "commands.service:list_services", "Host network name", 1, 1, "Say as JSON what services there are"
    ),
    "deleteService": Verb(
        "commands.service:delete_service", "Host network name, Address, Port", 3, 3, "Take a service away"
    ),
    "startRecord": Verb(
        "commands.capture:start_record", "Host network name, Path on host",
        2, 2, "Record what passes a network's gateway",
    ),
    "stopRecord": Verb("commands.capture:stop_record", "Host network name", 1, 1, "Stop recording"),
    "listConnections": Verb(
        "commands.capture:list_connections", "Host network name", 1, 1, "Say as JSON what a network's gateway has open"
    ),
}  # fmt: skip
VERBS = {**VMWARES, **EXTENSIONS}
_BY_LOWER = {name.lower(): name for name in VERBS}


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except Failure as failure:
        say(f"Error: {failure.text}")
        return failure.code
    except BrokenPipeError:
        return EXIT_FAILURE
    except OSError as error:
        say(f"Error: {of_os_error(error)}")
        return EXIT_FAILURE


def _run(words: list[str]) -> int:
    flags: dict[str, str] = {}
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag not in _FLAGS or not words:
            say(f"Invalid argument: {flag}")
            return _usage()
        flags[flag] = words.pop(0)
    if not words:
        return _usage()
    name, parameters = _BY_LOWER.get(words[0].lower()), words[1:]
    if name is None:
        raise Failure(f"Unrecognized command: {words[0]}")
    verb = VERBS[name]
    # What a program in the guest is given may look like anything.
    if verb.most < _ANY and any(word in _FLAGS for word in parameters):
        return _usage()
    if verb.on_vm and not parameters:
        say("No Vm name provided")
        return EXIT_FAILURE
    if verb.on_vm:
        _check_vm(parameters[0])
    if not verb.least <= len(parameters) <= verb.most:
        return _usage()
    module, _, function = verb.target.partition(":")
    target = getattr(importlib.import_module(f"harness.vmrun_qemu.{module}"), function)
    if os.environ.get("VMRUN_QEMU_FAULTS"):
        return _with_faults(name, parameters, functools.partial(target, parameters, flags))
    return int(target(parameters, flags))


def _with_faults(name: str, parameters: Sequence[str], act: Callable[[], int]) -> int:
    from harness.vmrun_qemu.faults import catalog as lies  # noqa: PLC0415 - only where somebody asks for faults
    from harness.vmrun_qemu.faults import injection as faults  # noqa: PLC0415 - only where somebody asks for faults

    return faults.carry_out(os.environ[faults.VARIABLE], lies.FAULTS, faults.Call(name, parameters, act))


def _check_vm(path: str) -> None:
    """Return if the path is that of a VMX file.

    Raises:
        Failure: In the words that VMware has for it.
    """
    if not path.lower().endswith(".vmx"):
        raise cannot_open(path, "unknown file suffix")
    if not os.path.isfile(path):  # noqa: PTH113 - pathlib costs a tenth of the time of `list`
        raise not_found(path)


def _usage() -> int:
    say("")
    say(VERSION)
    say("")
    say("Usage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]")
    say("")
    say("AUTHENTICATION-FLAGS")
    say("--------------------")
    say("These must appear before the command and any command parameters.")
    say("")
    say("   -T <HostType> (ws|fusion||player)")
    say("   -vp <password for encrypted virtual machine>")
    say("   -gu <userName in guest OS>")
    say("   -gp <password in guest OS>")
    say("")
    say("COMMANDS                 PARAMETERS           DESCRIPTION")
    say("--------                 ----------           -----------")
    for name, verb in VERBS.items():
        say(f"{name:<24} {verb.usage:<20} {verb.help}".rstrip())
    say("")
    say(f"This is vmrun-qemu, the same on QEMU. VMware's own vmrun has no {', '.join(EXTENSIONS)}.")
    return EXIT_FAILURE
