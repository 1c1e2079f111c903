"""Open questions on VMware's `vmrun`.

This project could not observe the answers so far, or two sources differ.

A test settles a question by the name of a reading, or, where there is none to choose from, by the text that it saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """One open question.

    `readings` are name -> meaning of that reading; empty where any text is an answer.
    """

    text: str
    readings: Mapping[str, str] = field(default_factory=dict)


QUESTIONS: Mapping[str, Question] = {
    "failure-status": Question("with which number does this platform see the exit status of a failure, -1"),
    "exit-zero-with-error": Question(
        "does a failure ever exit with 0", {"no": "never seen", "yes": "an `Error:` line with the status 0"}
    ),
    "unknown-command": Question(
        "what does an unknown command get", {"text": "`Error: Unrecognized command: …`", "usage": "the usage text"}
    ),
    "missing-vmx": Question(
        "what does a command without its VMX get", {"text": "`No Vm name provided`", "usage": "the usage text"}
    ),
    "start-twice": Question(
        "what does `start` of a running machine do",
        {"silent": "nothing, status 0", "error": "an error, and the machine runs on"},
    ),
    "stop-default": Question(
        "what does `stop` without a word do to a machine without Tools",
        {"hard": "cuts the power", "soft": "asks Tools, and fails or hangs"},
    ),
    "stop-soft-without-tools": Question(
        "what does `stop soft` do without Tools", {"hangs": "it does not end", "error": "an error, and it runs on"}
    ),
    "reset-hard": Question(
        "what is a machine after `reset hard`", {"running": "running", "off": "off, and has to be started"}
    ),
    "suspended-stop": Question(
        "what does `stop hard` of a suspended machine do",
        {"refused": "`not powered on`, and it stays suspended", "discarded": "the state is discarded"},
    ),
    "paused-power": Question("what does `stop hard` of a paused machine say"),
    "delete-running": Question("what does `deleteVM` of a running machine say"),
    "upgradevm-output": Question("what does `upgradevm` of a machine that is off say"),
    "install-tools-output": Question("what does `installTools` of a running machine say"),
    "write-variable-output": Question("what does `writeVariable` say when it worked"),
    "guestvar-prefix": Question(
        "which names does `guestVar` take", {"bare": "the bare name only", "both": "with `guestinfo.` too"}
    ),
    "revert-running": Question(
        "what does `revertToSnapshot` of a running machine do",
        {"refused": "an error", "off": "reverts, and the machine is off", "on": "reverts, and the machine runs"},
    ),
    "revert-memory": Question(
        "what is a machine after a revert to a snapshot with memory",
        {"resumable": "not running, `checkpoint.vmState` leads to the memory", "off": "off, without a memory"},
    ),
    "snapshot-name-case": Question(
        "are names of snapshots compared with case", {"with": "with case", "without": "without case"}
    ),
    "snapshot-name-slash": Question(
        "what is a name `a/b` where a snapshot is looked for",
        {"path": "a path through the tree", "name": "a name, not found"},
    ),
    "clone-snapshot-space": Question(
        "does `clone … -snapshot NAME` work, as two words", {"yes": "as with `=`", "no": "an error"}
    ),
    "clone-running": Question("what does a full clone of a running machine say"),
    "clone-memory-snapshot": Question(
        "can a machine be cloned from a snapshot with memory",
        {"yes": "yes", "no": "`The state of the virtual machine has not changed since the last snapshot operation`"},
    ),
    "delete-cloned-snapshot": Question(
        "what does `deleteSnapshot` do to a snapshot that a linked clone needs",
        {"refused": "an error", "deleted": "it deletes it, and breaks the clone"},
    ),
    "delete-cloned-parent": Question(
        "what does `deleteVM` do to the parent of a linked clone",
        {"refused": "an error", "deleted": "it deletes it, and breaks the clone"},
    ),
    "named-device-output": Question("what does `disconnectNamedDevice` of a device that is there say"),
    "named-device-unknown": Question("what does `disconnectNamedDevice` of a device that is not there say"),
    "guest-order": Question(
        "what does a guest operation miss first, without Tools and without `-gu`",
        {"tools": "Tools", "login": "the login"},
    ),
    "capture-needs": Question(
        "what does `captureScreen` need", {"tools": "running Tools and a login", "nothing": "a running machine"}
    ),
    "tools-installed-status": Question("with which status does `checkToolsState` print `installed`"),
    "guest-exit": Question(
        "what is the exit status of vmrun when the guest's program exits with 42",
        {"passed": "42", "own": "a status of vmrun's own"},
    ),
    "guest-exit-large": Question("what is the exit status of vmrun when the guest's program exits with 300"),
    "guest-words": Question(
        "do several words after the program reach a guest as several arguments",
        {"several": "yes", "joined": "they are joined, and the program fails"},
    ),
    "list-directory-header": Question("what is the first line of `listDirectoryInGuest`"),
    "suspended-address": Question(
        "what does `getGuestIPAddress` of a suspended machine say",
        {"stale": "the address of before", "error": "`not powered on`"},
    ),
    "disk-failure-stream": Question(
        "where does `vmware-vdiskmanager` print its failures", {"stdout": "standard output", "stderr": "standard error"}
    ),
    "disk-failure-status": Question("with which status does `vmware-vdiskmanager` fail"),
}
