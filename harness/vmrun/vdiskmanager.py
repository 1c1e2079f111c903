"""`vmware-vdiskmanager`: create a virtual disk and classify failures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.system import process
from harness.system.process import RunProgram
from harness.vmware.vmdk import DiskError, DiskInfo, inspect_disk

# `-t` of vmware-vdiskmanager -> createType of the disk.
CREATE_TYPES: Mapping[int, str] = {
    0: "monolithicSparse",
    1: "twoGbMaxExtentSparse",
    2: "monolithicFlat",
    3: "twoGbMaxExtentFlat",
}


class DiskExists(DiskError):
    """A file of that name exists already."""

    why = "a file of that name exists already"


class DiskFull(DiskError):
    """The host's file system has no room."""

    why = "the host's disk is full"


class DiskDenied(DiskError):
    """This user may not write there."""

    why = "this user may not write there"


# Pattern of the output -> class and remedy. The tool prints `Failed to create disk: <text> (0x…).`
_FAILURES: tuple[tuple[str, type[DiskError], str], ...] = (
    (r"file already exists", DiskExists, "run the cleanup phase, or remove the file by hand"),
    (r"not enough space|no space left|disk full", DiskFull, "free space on the drive of vm_directory"),
    (r"permission|access rights|access (?:is|was) denied", DiskDenied, "choose a vm_directory that you may write to"),
    (r"parameters supplied is invalid|invalid", DiskError, "check hardware.disk_gib and hardware.disk_type"),
    (r"path|directory|not found", DiskError, "create the directory of the disk first"),
)


def create_argv(tool_argv: Sequence[str], path: Path, size_gib: int, disk_type: int, adapter: str) -> tuple[str, ...]:
    """Return the command that creates the disk."""
    return (*tool_argv, "-c", "-s", f"{size_gib}GB", "-a", adapter, "-t", str(disk_type), str(path))


def create_disk(
    tool_argv: Sequence[str],
    path: Path,
    size_gib: int,
    disk_type: int = 1,
    *,
    adapter: str = "lsilogic",
    env: Mapping[str, str] | None = None,
    run: RunProgram = process.run,
    timeout_s: float = 300,
) -> DiskInfo:
    """Create an empty disk and return its description.

    Args:
        tool_argv: `vmware-vdiskmanager`, or the embedded one.
        path: The descriptor; its directory exists.
        size_gib: The size that the guest sees.
        disk_type: 0 growable in one file, 1 growable in pieces of 2 GB, 2 and 3 the same preallocated.
        adapter: `lsilogic` for SATA too.
        env: Variables on top of this process's own.
        run: The process runner.
        timeout_s: After that many seconds the tool is ended.

    Raises:
        DiskError: The tool failed, by its exit status or by its text, or its disk cannot be read.
        ProcessError: The tool could not be started, or did not end.
    """
    done = run(create_argv(tool_argv, path, size_gib, disk_type, adapter), timeout_s=timeout_s, env=env)
    if done.returncode != 0 or re.search(r"^Failed to |^Error: ", done.output, re.MULTILINE):
        kind, remedy = _classify(done.output)
        raise kind(
            f"the disk could not be created: {kind.why} (exit {done.returncode})",
            where=str(path),
            detail=done.output or "nothing",
            remedy=remedy,
        )
    return inspect_disk(path)


def _classify(output: str) -> tuple[type[DiskError], str]:
    for pattern, kind, remedy in _FAILURES:
        if re.search(pattern, output, re.IGNORECASE):
            return kind, remedy
    return DiskError, "run the same command by hand"
