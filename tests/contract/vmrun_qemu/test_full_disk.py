"""Machines on a full file system: refusals, leftovers, and recovery with room."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from counting_guest import counting_machine, next_count
from qemu_lab import Vmrun, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.vmrun_qemu import vdiskmanager

FULL = (255, "Error: There is not enough space in the file system for the selected operation\n")


@pytest.fixture(name="small")
def small_fixture(vmrun: Vmrun) -> Iterator[Path]:
    """A file system of 8 MiB at the place of the machines."""
    vmrun.vms.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "vmrun-qemu-test", str(vmrun.vms)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False, timeout=10).returncode:
        pytest.skip("only root can mount a small file system, and only on Linux")
    yield vmrun.vms
    for path in vmrun.ok("list").splitlines()[1:]:
        vmrun("stop", path, "hard")
    subprocess.run(["umount", "--lazy", str(vmrun.vms)], check=True, timeout=10)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)):
            continue
    return ballast


def files(vmx: Path) -> set[str]:
    return {file.name for file in vmx.parent.iterdir() if not file.name.startswith(("vmware", "serial"))}


def test_a_machine_on_a_full_disk_runs_on_and_nothing_half_done_is_left(vmrun: Vmrun, small: Path) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    there = files(vmx)
    ballast = fill(small)

    for words in (("suspend", vmx, "hard"), ("snapshot", vmx, "s")):
        assert vmrun(*words) == FULL
        assert files(vmx) == there
        assert vmrun.ok("list") == f"Total running VMs: 1\n{vmx}\n"
        assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 0\n"
    ballast.unlink()
    after = next_count(vmx)
    assert (after.nonce, after.ticks > before.ticks) == (before.nonce, True)
    vmrun.ok("snapshot", vmx, "s")
    vmrun.ok("suspend", vmx, "hard")
    ballast = fill(small)
    assert vmrun("start", vmx, "nogui") == FULL
    ballast.unlink()
    vmrun.ok("start", vmx, "nogui")
    assert next_count(vmx).nonce == before.nonce


def test_a_machine_that_is_off_stays_as_it_is_when_there_is_no_room(vmrun: Vmrun, small: Path) -> None:
    vmx = counting_machine(vmrun, "one")
    copy = vmrun.vms / "two" / "two.vmx"
    vmrun.ok("snapshot", vmx, "s")
    there = files(vmx)
    ballast = fill(small)
    for words in (("start", vmx, "nogui"), ("snapshot", vmx, "t"), ("revertToSnapshot", vmx, "s")):
        assert vmrun(*words) == FULL, words
        assert files(vmx) == there
    for kind in ("full", "linked"):
        assert vmrun("clone", vmx, copy, kind, "-snapshot=s") == FULL
        assert not copy.parent.exists()
    ballast.unlink()
    vmrun.ok("deleteSnapshot", vmx, "s")
    vmrun.ok("start", vmx, "nogui")
    assert next_count(vmx).boots == 1


def test_a_disk_that_has_no_room_is_not_made(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = small / "d.vmdk"
    for kind in "23":
        assert vdiskmanager.main(["-c", "-s", "32MB", "-a", "lsilogic", "-t", kind, str(disk)]) == 1
        full = "There is not enough space in the file system for the selected operation (0x8).\n"
        assert capsys.readouterr().out.endswith(f"Failed to create disk: {full}")
        assert list(small.iterdir()) == []
    assert vdiskmanager.main(["-c", "-s", "32MB", "-a", "lsilogic", "-t", "0", str(disk)]) == 0
