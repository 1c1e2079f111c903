"""A crash at any moment of a snapshot operation loses no data.

The machine's disk, and those of its snapshots, hold what they held.

Real `qemu-img` on small disks; the crash is an exception that nothing catches, raised instead of one change of a file.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.disks import chains, images, snapshots
from harness.vmrun_qemu.disks.consolidation import finish_interrupted
from harness.vmrun_qemu.disks.qemu_img import FULL, DiskError
from harness.vmrun_qemu.disks.vm_directory import VmDirectory
from harness.vmware import vmdk_descriptor
from harness.vmware.vmx import Vmx

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
VMX = 'sata0.present = "TRUE"\nsata0:0.present = "TRUE"\nsata0:0.fileName = "m.vmdk"\n'


class Crash(BaseException):
    """A power failure."""


def opened(folder: Path) -> VmDirectory:
    return VmDirectory(folder / "m.vmx", Vmx.read(folder / "m.vmx"))


def write(directory: VmDirectory, mark: int) -> None:
    (disk,) = directory.disks().values()
    qemu_io(disk, f"write -P {mark} {mark * 64}k 64k")


def marks(disk: Path) -> list[int]:
    """Return which of the marks 1 to 4 the disk holds."""
    commands = [word for mark in range(1, 5) for word in ("-c", f"read -v {mark * 64}k 1")]
    lines = [line.split() for line in qemu_io(disk, *commands[1::2]).splitlines() if line[:2] == "00"]
    return [int(line[1], 16) for line in lines]


def qemu_io(disk: Path, *commands: str) -> str:
    words = [word for command in commands for word in ("-c", command)]
    argv = ["qemu-io", "-f", "vmdk", *words, str(disk)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout


@pytest.fixture(scope="module")
def mould(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine with the snapshots a - b - c.

    One mark more is on the disk before each, and the fourth after the last.
    """
    folder = tmp_path_factory.mktemp("mould") / "m"
    folder.mkdir()
    (folder / "m.vmx").write_text(VMX, encoding="utf-8")
    images.create(folder / "m.vmdk", 2 << 20, "twoGbMaxExtentSparse", "lsilogic", "")
    for mark, name in enumerate("abc", start=1):
        write(opened(folder), mark)
        snapshots.take(opened(folder), name)
    write(opened(folder), 4)
    return folder


def contents(folder: Path) -> dict[str, list[int]]:
    directory = opened(folder)
    found = {s.name: marks(directory.resolve(s.disks[0][1])) for s in directory.tree.snapshots}
    return {**found, "now": marks(next(iter(directory.disks().values())))}


WHOLE = {"a": [1, 0, 0, 0], "b": [1, 2, 0, 0], "c": [1, 2, 3, 0], "now": [1, 2, 3, 4]}
OPERATIONS: dict[str, Callable[[VmDirectory], None]] = {
    "delete a": lambda directory: snapshots.delete(directory, "a", children=False),
    "delete b": lambda directory: snapshots.delete(directory, "b", children=False),
    "delete c": lambda directory: snapshots.delete(directory, "c", children=False),
    "delete all": lambda directory: snapshots.delete(directory, "a", children=True),
    "revert to a": lambda directory: snapshots.revert(directory, "a"),
    "take d": lambda directory: snapshots.take(directory, "d"),
}
CHANGES = (
    (chains, "commit"), (vmdk_descriptor, "write"), (Vmx, "write"), (images, "remove"), (chains, "make_overlay"),
)  # fmt: skip


def crashing(monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> list[str]:
    """Crash at change number `at`, before or after it; return the changes."""
    seen: list[str] = []

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def fake(*words: Any, **more: Any) -> Any:
            seen.append(name)
            if len(seen) > at or (len(seen) == at and not after):
                raise Crash  # what would clean up does not run either
            value = original(*words, **more)
            if len(seen) == at:
                raise Crash
            return value

        return fake

    for owner, name in CHANGES:
        monkeypatch.setattr(owner, name, wrapped(name, getattr(owner, name)))
    return seen


@needs_qemu_img
@pytest.mark.parametrize("operation", OPERATIONS)
def test_after_a_crash_at_any_moment_everything_is_there(
    tmp_path: Path, mould: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    changes = 1
    for after in (False, True):
        at = 0
        while at < changes:
            at += 1
            folder = tmp_path / f"{after}{at}" / "m"
            shutil.copytree(mould, folder)
            with monkeypatch.context() as patch, suppress(Crash):
                seen = crashing(patch, at, after=after)
                OPERATIONS[operation](opened(folder))
            changes = max(changes, at + (len(seen) >= at))
            finish_interrupted(opened(folder))
            found = contents(folder)
            now = found.pop("now")
            assert now == WHOLE["now"] or (now == WHOLE["a"] and operation == "revert to a")
            assert found == {name: WHOLE["now" if name == "d" else name] for name in found}, f"crash at {at}: {seen}"
            assert opened(folder).tree.needs_consolidation is False
            for name in found:
                snapshots.delete(opened(folder), name, children=False)
            assert contents(folder) == {"now": now}
            shutil.rmtree(folder.parent)
    assert changes > 3, "nothing was changed"


@needs_qemu_img
def test_a_full_disk_leaves_a_machine_that_can_be_used(
    tmp_path: Path, mould: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(mould, folder)
    real = chains.commit

    def fake_commit(overlay: Path) -> None:
        real(overlay)  # some of it gets through
        raise DiskError(FULL)

    with monkeypatch.context() as patch:
        patch.setattr(chains, "commit", fake_commit)
        with pytest.raises(Failure) as caught:
            snapshots.delete(opened(folder), "b", children=False)
    assert caught.value.text == "There is not enough space in the file system for the selected operation"
    assert contents(folder) == {name: value for name, value in WHOLE.items() if name != "b"}
    assert opened(folder).tree.needs_consolidation
    disks = {file.name for file in folder.glob("m*.vmdk") if "-s0" not in file.name}
    finish_interrupted(opened(folder))
    assert contents(folder) == {name: value for name, value in WHOLE.items() if name != "b"}
    assert len(disks) - len({file.name for file in folder.glob("m*.vmdk") if "-s0" not in file.name}) == 1
