"""removeState: remove the state files of this program."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.base.messages import ALREADY_RUNNING, Failure, Flags
from harness.vmrun_qemu.network import definitions, switch
from harness.vmrun_qemu.state import inventory

# The files that this program writes below its home; see `home`.
_OWN_FILES = re.compile(r"(accelerator|networks|faults)\.json(\.\d+\.tmp)?|faults\.lock")
_FILES_IN_A_FOLDER = re.compile(
    r"(record|forwards|services|traffic|switch|reset)\.json(\.\d+\.tmp)?|(qemu|supervisor|daemon|keeper)\.log"
    r"|members/[0-9a-f]{16}-ethernet\d+\.json(\.\d+\.tmp)?"
)
_OWN_FOLDERS = {"vm": re.compile(r"[0-9a-f]{16}"), "net": re.compile(r"vmnet\d+")}


def remove_state(_parameters: Sequence[str], _flags: Flags) -> int:
    """Remove the state files of this program, and its home.

    Foreign files, and directories with such files, stay. A network without a VM is taken down first.

    Raises:
        Failure: A VM runs, is starting, or is being changed.
    """
    if inventory.all_living():
        raise Failure(ALREADY_RUNNING)
    root = home.root()
    for folder in (root / "net").glob("vmnet*"):
        _take_down(definitions.normal_name(folder.name))
    for item in root.iterdir():
        if _OWN_FILES.fullmatch(item.name):
            item.unlink(missing_ok=True)
        for folder in item.iterdir() if item.name in _OWN_FOLDERS and not item.is_symlink() else ():
            if _OWN_FOLDERS[item.name].fullmatch(folder.name) and not folder.is_symlink():
                _remove_folder(folder)
        _remove_empty(item)
    _remove_empty(root)
    return 0


def _take_down(vmnet: str) -> None:
    with switch.locked(vmnet):
        record = switch.load(vmnet)
        if record is not None and not switch.members(vmnet):
            switch.shut_down(vmnet, record)
        elif record is None:
            switch.forget(vmnet)


def _remove_folder(folder: Path) -> None:
    """Remove the folder of a VM or a network.

    Foreign files stay, and then the folder too.

    Raises:
        Failure: Another process works on that VM or network.
    """
    try:
        with FileLock(folder / "lock", timeout=0):
            for item in [*folder.iterdir(), *(folder / "members").glob("*.json*")]:
                if _FILES_IN_A_FOLDER.fullmatch(item.relative_to(folder).as_posix()):
                    item.unlink(missing_ok=True)
    except Timeout as error:
        raise Failure(ALREADY_RUNNING) from error
    (folder / "lock").unlink(missing_ok=True)
    _remove_empty(folder / "members")
    _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
