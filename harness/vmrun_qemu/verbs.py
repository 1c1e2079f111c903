"""The verb table: function, parameters and help text of each command."""

from __future__ import annotations

from typing import NamedTuple

# The first line of the usage text: the version of VMware's `vmrun` whose behaviour this program has.
VERSION = "vmrun version 1.17.0 build-24583834"
ANY_NUMBER = 1 << 16


class Verb(NamedTuple):
    """A command: function, parameters for the usage, their number, help."""

    target: str
    usage: str
    min_parameters: int
    max_parameters: int
    help: str

    @property
    def on_vm(self) -> bool:
        """Whether the first parameter is a VMX path."""
        return self.usage.startswith("Path to vmx")


# A target `module:name` names a function that takes (parameters, flags) and returns the exit status. `main` imports the
# module of the command that runs, and no other: `list` is called often and has to start fast.
VMWARE_VERBS = {
    "list": Verb("commands.list:list_running", "", 0, 0, "List all running VMs"),
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
        2, ANY_NUMBER, "Run a program in Guest OS",
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
    "listHostNetworks": Verb("commands.network_lists:list_networks", "", 0, 0, "List all networks of the host"),
    "listPortForwardings": Verb(
        "commands.network_lists:list_forwards", "Host network name", 1, 1, "List all port forwardings on a host network"
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
# VMware's `vmrun` has none of these; a host without VMware needs them.
EXTRA_VERBS = {
    "about": Verb("commands.about:about", "", 0, 0, "Print as JSON which QEMU and accelerator are used, and why"),
    "removeState": Verb(
        "commands.remove_state:remove_state", "", 0, 0, "Remove the state files of this program; no VM may run"
    ),
    "defineNetwork": Verb(
        "commands.network:define_network", "vmnetN Subnet [hostOnly|nat]", 2, 3, "Define the subnet of a network"
    ),
    "setService": Verb(
        "commands.service:set_service", "Host network name, Address, Port, Host port", 4, 4,
        "Connect an address of a network to a TCP service of the host's loopback",
    ),
    "listServices": Verb(
        "commands.service:list_services", "Host network name", 1, 1, "Print the services of a network as JSON"
    ),
    "deleteService": Verb(
        "commands.service:delete_service", "Host network name, Address, Port", 3, 3, "Delete a service"
    ),
    "startRecord": Verb(
        "commands.capture:start_record", "Host network name, Path on host",
        2, 2, "Record the frames at a network's gateway",
    ),
    "stopRecord": Verb("commands.capture:stop_record", "Host network name", 1, 1, "Stop recording"),
    "listConnections": Verb(
        "commands.capture:list_connections", "Host network name",
        1, 1, "Print the open connections of a network's gateway as JSON",
    ),
}  # fmt: skip
VERBS = {**VMWARE_VERBS, **EXTRA_VERBS}
