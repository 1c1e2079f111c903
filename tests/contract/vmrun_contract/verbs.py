"""Every verb of VMware's `vmrun`: parameters, and what is known of its answer."""

from __future__ import annotations

from dataclasses import dataclass

SILENT = "says nothing"


@dataclass(frozen=True)
class Verb:
    """One verb of VMware's `vmrun`.

    Attributes:
        parameters: Those after the VMX path; behind `:` for a verb without a VMX.
        answer: What it prints where it succeeds, and what is remarkable.
        confidence: Letters of `behaviour.SOURCES`.
        here: What `vmrun-qemu` does otherwise; empty for the same.
    """

    parameters: str
    answer: str
    confidence: str
    here: str = ""


VERBS: dict[str, Verb] = {
    "list": Verb(": (none)", "`Total running VMs: N`, then VMX paths; of the same user, logon and elevation", "T"),
    "start": Verb("`[gui|nogui]`", f"{SILENT}; returns when the boot begins; a suspended machine resumes", "TD"),
    "stop": Verb("`[hard|soft]`", f"{SILENT}; `soft` wants running Tools, and was seen to hang", "TD"),
    "reset": Verb("`[hard|soft]`", f"{SILENT}; `hard` was once seen to leave the machine off", "T", "stays on"),
    "suspend": Verb("`[hard|soft]`", f"{SILENT}; afterwards not in `list`", "TD"),
    "pause": Verb("", f"{SILENT}; still in `list`", "TP"),
    "unpause": Verb("", SILENT, "TP"),
    "listSnapshots": Verb("`[showTree]`", "`Total snapshots: N`, then the names, with `showTree` behind tabs", "T"),
    "snapshot": Verb("name", f"{SILENT}; of a running machine with its memory", "T"),
    "deleteSnapshot": Verb("name `[andDeleteChildren]`", SILENT, "D"),
    "revertToSnapshot": Verb("name", f"{SILENT}; afterwards not running", "TP"),
    "clone": Verb("VMX `full|linked [-snapshot=] [-cloneName=]`", SILENT, "TP"),
    "deleteVM": Verb("", f"{SILENT}; files that are not the machine's stay", "P", "keeps what a clone needs"),
    "upgradevm": Verb("", f"{SILENT}?", "I"),
    "installTools": Verb("", "connects the medium of the Tools", "DI", "there is no such medium, and it says so"),
    "checkToolsState": Verb("", "`unknown` (status -2), `installed` or `running`", "TP", "its Tools are QEMU's agent"),
    "getGuestIPAddress": Verb("`[-wait]`", "an IPv4 address; while there is none, one of three other answers", "T"),
    "runProgramInGuest": Verb("`[-noWait …]` program, arguments", f"{SILENT}; the status is the program's", "TP"),
    "runScriptInGuest": Verb("`[-noWait …]` interpreter, text", f"{SILENT}; the status is the interpreter's", "P"),
    "listProcessesInGuest": Verb("", "`Process list: N`, then `pid=…, owner=…, cmd=…`", "TP"),
    "killProcessInGuest": Verb("process id", SILENT, "P"),
    "fileExistsInGuest": Verb("path", "`The file exists.`, or `The file does not exist.` and not 0", "TP"),
    "directoryExistsInGuest": Verb("path", "the same of a directory", "TP"),
    "deleteFileInGuest": Verb("path", SILENT, "P"),
    "createDirectoryInGuest": Verb("path", SILENT, "P"),
    "deleteDirectoryInGuest": Verb("path", SILENT, "P"),
    "renameFileInGuest": Verb("old, new", SILENT, "P"),
    "CreateTempfileInGuest": Verb("", "the path in the guest", "TP"),
    "listDirectoryInGuest": Verb("path", "a first line, then the names", "P"),
    "CopyFileFromHostToGuest": Verb("path here, path there", f"{SILENT}; overwrites", "T"),
    "CopyFileFromGuestToHost": Verb("path there, path here", f"{SILENT}; overwrites", "T"),
    "captureScreen": Verb("PNG here", f"{SILENT}; a guest operation: wants Tools and a login", "TP"),
    "typeKeystrokesInGuest": Verb("text", f"{SILENT}; refused on Windows hosts", "T"),
    "readVariable": Verb("`runtimeConfig|guestEnv|guestVar` name", "the value; if it is not set, an empty line", "T"),
    "writeVariable": Verb("kind, name, value", f"{SILENT}?; gone at power-off", "DI"),
    "connectNamedDevice": Verb("key of the VMX", f"{SILENT}?; the VMX on disk stays", "TP"),
    "disconnectNamedDevice": Verb("key of the VMX", f"{SILENT}?; the VMX on disk stays", "TP"),
    "enableSharedFolders": Verb("`[runtime]`", f"{SILENT}; wants Tools", "TP", "cannot, and says so"),
    "disableSharedFolders": Verb("`[runtime]`", f"{SILENT}; wants Tools", "TP", "cannot, and says so"),
    "addSharedFolder": Verb("share, directory", SILENT, "P", "cannot, and says so"),
    "setSharedFolderState": Verb("share, directory, `writable|readonly`", SILENT, "P", "cannot, and says so"),
    "removeSharedFolder": Verb("share", SILENT, "P", "cannot, and says so"),
    "listHostNetworks": Verb(": (none)", "`Total host networks: N` and a table; not on Linux", "T", "on Linux too"),
    "listPortForwardings": Verb(": network", "`Total port forwardings: N` and rows", "T"),
    "setPortForwarding": Verb(": network, protocol, port, address, port", f"{SILENT}; may want elevation", "D"),
    "deletePortForwarding": Verb(": network, protocol, port", f"{SILENT}; may want elevation", "D"),
    "listNetworkAdapters": Verb("", "a table; Fusion only", "T"),
    "addNetworkAdapter": Verb("type `[network]`", "Fusion only", "T"),
    "setNetworkAdapter": Verb("index, type `[network]`", "Fusion only", "T"),
    "deleteNetworkAdapter": Verb("index", "Fusion only", "T"),
    "downloadPhotonVM": Verb(": path", "stands in the usage text", "D"),
}
