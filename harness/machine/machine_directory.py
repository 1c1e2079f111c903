"""Which files in the directory of a VM of the ledger are ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from harness.core.files import is_mount_point
from harness.core.layout import MachineFiles
from harness.ownership.ledger import MachineEntry
from harness.ownership.marker import (
    ForeignPath,
    ForeignReason,
    foreign_reason,
    is_link,
    is_marker,
    read_marker,
)
from harness.vmware.vmx import Vmx, VmxError


def files_of(machine: MachineEntry) -> MachineFiles:
    """Return the files of a VM of the ledger."""
    return MachineFiles(Path(machine.directory), machine.name)


def foreign_directory(machine: MachineEntry) -> ForeignPath | None:
    """Return why the VM's directory is not ours, or None.

    An empty or a missing directory counts as ours.
    """
    files = files_of(machine)
    directory = files.directory
    if not os.path.lexists(directory):
        return None
    if is_link(directory) or not directory.is_dir():
        return ForeignPath(directory, ForeignReason.LINK)
    if machine.found is None and is_mount_point(directory):
        return ForeignPath(directory, ForeignReason.MOUNT)
    others = [item for item in directory.iterdir() if not is_marker(item) and item.name not in (machine.found or ())]
    if others and read_marker(directory) != machine.token:
        return ForeignPath(directory, ForeignReason.NO_MARKER)
    if machine.nonce and _nonce(files.vmx) not in ("", machine.nonce):
        return ForeignPath(directory, ForeignReason.OTHER_MACHINE)
    return None


def foreign_files(machine: MachineEntry) -> tuple[ForeignPath, ...]:
    """Return the foreign files in the VM's directory, each with its reason."""
    directory = files_of(machine).directory
    if not directory.is_dir():
        return ()
    items = [item for item in sorted(directory.iterdir()) if not is_marker(item)]
    judged = [(item, foreign_reason(item, machine.name, machine.found or (), machine.nonce)) for item in items]
    return tuple(ForeignPath(item, why) for item, why in judged if why is not None)


def is_own(item: Path, machine: MachineEntry) -> bool:
    """Return whether a file in the directory is one of the VM, and ours."""
    return not is_marker(item) and foreign_reason(item, machine.name, machine.found or (), machine.nonce) is None


def listing(directory: Path) -> Sequence[Path]:
    """Return the sorted content of a directory; nothing without it."""
    try:
        return sorted(directory.iterdir())
    except FileNotFoundError:
        return ()


def _nonce(vmx: Path) -> str:
    """Return `uuid.bios` as 32 hex digits, or nothing.

    An unreadable VMX has none.
    """
    try:
        text = Vmx.read(vmx).get("uuid.bios") or ""
    except (VmxError, OSError):
        return ""
    return text.replace(" ", "").replace("-", "").lower()
