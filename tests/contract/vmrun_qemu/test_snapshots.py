"""Snapshots on a real QEMU machine with the counting guest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from counting_guest import counting_machine, next_count
from qemu_lab import Vmrun, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.vmware.vmx import Vmx


def disk_of(vmx: Path) -> Path:
    return vmx.parent / (Vmx.read(vmx).get("sata0:0.fileName") or "")


def disks(vmx: Path) -> set[str]:
    """Return the disks that are there, without their extents."""
    return {file.name for file in vmx.parent.glob("*.vmdk") if file.stem[-4:-3] != "s"}


def chain(vmx: Path) -> list[str]:
    """Return the disk's backing chain, as `qemu-img` reads it, consistent."""
    argv = ["qemu-img", "info", "--backing-chain", "--output=json", str(disk_of(vmx))]
    chain = json.loads(subprocess.run(argv, check=True, capture_output=True, timeout=30).stdout)
    for image in chain:
        subprocess.run(["qemu-img", "check", "-q", image["filename"]], check=True, timeout=30)
    return [Path(image["filename"]).name for image in chain]


def boots_on_disk(vmx: Path) -> int:
    """Return the boot count on the disk, read through its chain."""
    argv = ["qemu-io", "-r", "-f", "vmdk", "-c", "read -v 512 2", str(disk_of(vmx))]
    line = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout.splitlines()[0]
    low, high = line.split()[1:3]
    return int(high + low, 16)


def boot(vmrun: Vmrun, vmx: Path) -> int:
    """Start the machine, wait for its guest, stop it; return its boots."""
    vmrun.ok("start", vmx, "nogui")
    boots = next_count(vmx).boots
    vmrun.ok("stop", vmx, "hard")
    return boots


@pytest.mark.parametrize("subformat", ["monolithicSparse", "twoGbMaxExtentSparse", "monolithicFlat"])
def test_a_machine_that_was_off_is_off_again_with_the_disk_of_then(vmrun: Vmrun, subformat: str) -> None:
    vmx = counting_machine(vmrun, "one", subformat=subformat)
    assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 0\n"
    assert boot(vmrun, vmx) == 1
    assert vmrun.ok("snapshot", vmx, "first") == ""
    assert chain(vmx) == ["one-000001.vmdk", "one.vmdk"]
    assert [boot(vmrun, vmx), boot(vmrun, vmx)] == [2, 3]
    assert vmrun.ok("revertToSnapshot", vmx, "first") == ""
    assert vmrun.ok("list") == "Total running VMs: 0\n"
    assert boots_on_disk(vmx) == 1
    assert len(disks(vmx) - {"one-flat.vmdk"}) == 2, "the state that was given up is gone"
    assert boot(vmrun, vmx) == 2
    assert vmrun.ok("deleteSnapshot", vmx, "first") == ""
    assert chain(vmx) == ["one.vmdk"]
    assert disks(vmx) - {"one-flat.vmdk"} == {"one.vmdk"}
    assert boots_on_disk(vmx) == 2
    assert boot(vmrun, vmx) == 3
    assert sorted(file.name for file in vmx.parent.glob("*.vms[ns]")) == []


def test_a_machine_that_was_on_goes_on_where_it_was(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    assert vmrun.ok("snapshot", vmx, "warm") == ""
    assert next_count(vmx).nonce == before.nonce
    assert {path.name for path in vmx.parent.glob("*.lck")} >= {"one.vmx.lck", "one-000001.vmdk.lck"}
    vmrun.ok("stop", vmx, "hard")
    assert chain(vmx) == ["one-000001.vmdk", "one.vmdk"]
    assert boot(vmrun, vmx) == before.boots + 1

    assert vmrun.ok("revertToSnapshot", vmx, "warm") == ""

    assert vmrun.ok("list") == "Total running VMs: 0\n"
    assert Vmx.read(vmx).get("checkpoint.vmState") == "one-Snapshot1.vmsn"
    for _ in range(2):
        vmrun.ok("start", vmx, "nogui")
        after = next_count(vmx)
        assert (after.boots, after.nonce) == (before.boots, before.nonce)
        assert before.ticks < after.ticks < before.ticks + 600
        assert vmrun.ok("revertToSnapshot", vmx, "warm") == "", "of a machine that is on"
        assert vmrun.ok("list") == "Total running VMs: 0\n"
    vmrun.ok("deleteSnapshot", vmx, "warm")
    vmrun.ok("start", vmx, "nogui")
    assert next_count(vmx).nonce == before.nonce, "the memory of a deleted snapshot that is to be resumed is kept"


def test_snapshots_are_a_tree(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    for name in ("a", "b with space", "c"):
        boot(vmrun, vmx)
        vmrun.ok("snapshot", vmx, name)
    vmrun.ok("revertToSnapshot", vmx, "a")
    assert boot(vmrun, vmx) == 2
    vmrun.ok("snapshot", vmx, "d")
    names = "Total snapshots: 4\na\nb with space\nc\nd\n"
    assert vmrun.ok("listSnapshots", vmx) == names
    assert vmrun.ok("listSnapshots", vmx, "showTree") == "Total snapshots: 4\na\n\tb with space\n\t\tc\n\td\n"
    assert vmrun.ok("listsnapshots", vmx, "showtree") == vmrun.ok("listSnapshots", vmx, "showTree")
    vmrun.ok("revertToSnapshot", vmx, "a/b with space/c")
    assert boots_on_disk(vmx) == 3
    vmrun.ok("revertToSnapshot", vmx, "D")
    assert boots_on_disk(vmx) == 2

    vmrun.ok("deleteSnapshot", vmx, "a")

    assert vmrun.ok("listSnapshots", vmx, "showTree") == "Total snapshots: 3\nb with space\n\tc\nd\n"
    for name, boots in (("c", 3), ("b with space", 2), ("d", 2)):
        vmrun.ok("revertToSnapshot", vmx, name)
        assert boots_on_disk(vmx) == boots
    vmrun.ok("deleteSnapshot", vmx, "b with space", "andDeleteChildren")
    assert vmrun.ok("listSnapshots", vmx, "showTree") == "Total snapshots: 1\nd\n"
    assert boots_on_disk(vmx) == 2
    vmrun.ok("deleteSnapshot", vmx, "d")
    assert chain(vmx) == ["one.vmdk"]
    assert disks(vmx) == {"one.vmdk"}
    assert boot(vmrun, vmx) == 3


def test_what_cannot_be_done_with_snapshots(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    missing = (255, "Error: The snapshot does not exist\n")
    assert vmrun("revertToSnapshot", vmx, "none") == missing
    assert vmrun("deleteSnapshot", vmx, "none") == missing
    vmrun.ok("snapshot", vmx, "s1")
    assert vmrun("snapshot", vmx, "s1") == (255, "Error: A snapshot with the name already exists\n")
    assert vmrun("snapshot", vmx, "a/b") == (255, "Error: One of the parameters was invalid: a/b\n")
    assert vmrun("revertToSnapshot", vmx, "x/s1") == missing
    vmrun.ok("start", vmx, "nogui")
    assert vmrun("snapshot", vmx, "S1") == (255, "Error: A snapshot with the name already exists\n")
    assert vmrun("revertToSnapshot", vmx, "none") == missing
    assert vmrun.ok("list") == f"Total running VMs: 1\n{vmx}\n"
    vmrun.env["VMRUN_QEMU_FAULTS"] = "revert-in-use"
    assert vmrun("revertToSnapshot", vmx, "s1") == (255, "Error: The file is already in use\n")
    vmrun.ok("pause", vmx)
    paused = (255, f"Error: The virtual machine is paused: {vmx}\n")
    assert vmrun("snapshot", vmx, "s2") == paused
    assert vmrun("deleteSnapshot", vmx, "s1") == paused
    assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 1\ns1\n"


def test_a_snapshot_is_deleted_while_the_machine_runs(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    for name in ("a", "b", "c"):
        vmrun.ok("snapshot", vmx, name)
    vmrun.ok("deleteSnapshot", vmx, "b")
    assert next_count(vmx).nonce == before.nonce
    vmrun.ok("deleteSnapshot", vmx, "a", "andDeleteChildren")
    assert next_count(vmx).nonce == before.nonce
    assert disks(vmx) == {"one.vmdk"}
    assert {path.name for path in vmx.parent.glob("*.lck")} == {"one.vmx.lck", "one.vmdk.lck"}
    vmrun.ok("reset", vmx, "hard")
    vmrun.ok("stop", vmx, "hard")
    assert chain(vmx) == ["one.vmdk"]
    assert boot(vmrun, vmx) >= before.boots + 1


def test_a_suspended_machine_has_snapshots_too(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    vmrun.ok("suspend", vmx)
    vmrun.ok("snapshot", vmx, "asleep")
    boots = []
    for _ in range(2):
        vmrun.ok("start", vmx, "nogui")
        assert next_count(vmx).nonce == before.nonce
        vmrun.ok("stop", vmx, "hard")
        boots.append(boot(vmrun, vmx))
        vmrun.ok("revertToSnapshot", vmx, "asleep")
    assert boots == [before.boots + 1, before.boots + 1]


def test_settings_go_back_with_the_machine(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("snapshot", vmx, "small")
    changed = Vmx.read(vmx)
    changed.set("memsize", "64")
    changed.write(vmx)
    vmrun.ok("snapshot", vmx, "large")
    vmrun.ok("revertToSnapshot", vmx, "small")
    assert Vmx.read(vmx).get("memsize") == "32"
    vmrun.ok("revertToSnapshot", vmx, "large")
    assert Vmx.read(vmx).get("memsize") == "64"


def test_a_machine_whose_disks_do_not_fit_together_is_not_started(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    base = vmx.with_suffix(".vmdk")
    vmrun.ok("snapshot", vmx, "s")
    good = base.read_bytes()
    subprocess.run(["qemu-io", "-c", "write 512k 512", str(base)], check=True, capture_output=True, timeout=30)
    for reason in ("has been modified since the child was created", "could not be opened"):
        assert vmrun("start", vmx, "nogui") == (255, "Error: The operation was canceled\n")
        assert reason in (vmx.parent / "vmware.log").read_text(encoding="utf-8")
        assert list(vmx.parent.glob("*.lck")) == []
        base.unlink(missing_ok=True)
    base.write_bytes(good)
    assert boot(vmrun, vmx) == 1


def test_an_independent_disk_is_left_out(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one", 'sata0:0.mode = "independent-persistent"\n')
    vmrun.ok("snapshot", vmx, "cold")
    assert boot(vmrun, vmx) == 1
    vmrun.ok("revertToSnapshot", vmx, "cold")
    assert boots_on_disk(vmx) == 1
    assert disks(vmx) == {"one.vmdk"}
    vmrun.ok("start", vmx, "nogui")
    wanted = "Failed to take a memory snapshot because the virtual machine is configured with independent disks"
    assert vmrun("snapshot", vmx, "warm") == (255, f"Error: {wanted}\n")
    assert next_count(vmx).boots == 2


def test_delete_takes_snapshots_along(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    for name in ("a", "b"):
        vmrun.ok("snapshot", vmx, name)
    vmrun.ok("revertToSnapshot", vmx, "a")
    vmrun.ok("deleteVM", vmx)
    assert not vmx.parent.exists()
