"""Clones on real QEMU machines, and what deletion must leave of them.

Their guest counts its boots on its disk.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from counting_guest import counting_machine, next_count
from qemu_lab import Vmrun, vmrun_fixture  # noqa: F401 - pytest finds the fixture here
from test_snapshots import boot, boots_on_disk, chain, disks

from harness.vmware.vmx import Vmx


def clone_path(vmrun: Vmrun, name: str) -> Path:
    return vmrun.vms / name / f"{name}.vmx"


@pytest.mark.parametrize("subformat", ["monolithicSparse", "twoGbMaxExtentSparse", "monolithicFlat"])
def test_a_full_clone_is_a_machine_of_its_own(vmrun: Vmrun, subformat: str) -> None:
    vmx, copy = counting_machine(vmrun, "one", subformat=subformat), clone_path(vmrun, "two words")
    boot(vmrun, vmx)
    vmrun.ok("snapshot", vmx, "s")
    boot(vmrun, vmx)
    assert vmrun.ok("clone", vmx, copy, "full", "-cloneName=The second") == ""
    ours, theirs = Vmx.read(copy), Vmx.read(vmx)
    assert ours.get("displayName") == "The second"
    assert ours.get("uuid.bios") not in (None, theirs.get("uuid.bios"))
    assert ours.get("sata0:1.fileName") == str(vmx.parent / "one.iso")
    assert chain(copy) == ["two words.vmdk"]
    assert vmrun.ok("listSnapshots", copy) == "Total snapshots: 0\n"
    assert boots_on_disk(copy) == 2
    vmrun.ok("deleteVM", vmx)
    assert boot(vmrun, copy) == 3


def test_a_linked_clone_builds_on_a_snapshot_that_cannot_be_deleted(vmrun: Vmrun) -> None:
    vmx, copy = counting_machine(vmrun, "one"), clone_path(vmrun, "two")
    boot(vmrun, vmx)
    vmrun.ok("snapshot", vmx, "below")
    boot(vmrun, vmx)
    vmrun.ok("snapshot", vmx, "base")
    vmrun.ok("start", vmx, "nogui")
    next_count(vmx)
    assert vmrun.ok("clone", vmx, copy, "linked", "-snapshot=BASE") == ""
    assert chain(copy) == ["two.vmdk", "one-000001.vmdk", "one.vmdk"]
    notes = vmx.with_suffix(".vmsd").read_text(encoding="utf-8")
    assert f'snapshot1.clone0 = "{copy}"' in notes
    assert f'cloneOf0 = "{vmx}"' in copy.with_suffix(".vmsd").read_text(encoding="utf-8")
    assert boot(vmrun, copy) == 3, "both run at once"
    busy = (255, f"Error: One or more of the disks are busy: {copy}\n")
    assert vmrun("deleteSnapshot", vmx, "base") == busy
    assert vmrun("deleteSnapshot", vmx, "below", "andDeleteChildren") == busy
    vmrun.ok("stop", vmx, "hard")
    assert vmrun("deleteSnapshot", vmx, "base") == busy
    assert vmrun("deleteVM", vmx) == busy

    vmrun.ok("deleteSnapshot", vmx, "below")

    assert chain(copy) == ["two.vmdk", "one-000001.vmdk", "one.vmdk"], "what a clone reads stays as it is"
    assert boots_on_disk(copy) == 3
    vmrun.ok("snapshot", copy, "of a clone")
    assert boot(vmrun, copy) == 4
    vmrun.ok("deleteSnapshot", copy, "of a clone")
    assert chain(copy) == ["two.vmdk", "one-000001.vmdk", "one.vmdk"]
    assert vmrun.ok("deleteVM", copy) == ""
    assert not copy.parent.exists()
    assert "clone0" not in vmx.with_suffix(".vmsd").read_text(encoding="utf-8")
    vmrun.ok("deleteSnapshot", vmx, "base")
    assert disks(vmx) == {"one.vmdk"}
    assert boots_on_disk(vmx) == 3


def test_a_linked_clone_of_the_present_takes_a_snapshot_for_it(vmrun: Vmrun) -> None:
    vmx, copy = counting_machine(vmrun, "one"), clone_path(vmrun, "two")
    vmrun.ok("clone", vmx, copy, "LINKED", "-cloneName", "second")
    assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 1\nSnapshot for second\n"
    assert boot(vmrun, vmx) == boot(vmrun, copy) == 1
    third = clone_path(vmrun, "three")
    vmrun.ok("clone", copy, third, "linked")
    assert boot(vmrun, third) == 2
    assert vmrun("deleteVM", copy) == (255, f"Error: One or more of the disks are busy: {third}\n")


def test_what_cannot_be_cloned(vmrun: Vmrun) -> None:
    vmx, copy = counting_machine(vmrun, "one"), clone_path(vmrun, "two")
    unknown = (255, "Error: Invalid snapshot name 'nope'\n\n")
    assert vmrun("clone", vmx, copy, "full", "-snapshot=nope") == unknown
    assert vmrun("clone", vmx, copy, "full", "-snapshot", "nope") == unknown
    assert vmrun("clone", vmx, copy, "half")[0] == 255
    assert vmrun("clone", vmx, copy, "full", "-colour=red")[0] == 255
    assert vmrun("clone", vmx, vmx, "full") == (255, "Error: The file already exists\n")
    vmrun.ok("start", vmx, "nogui")
    running = (255, "Error: The virtual machine should not be powered on. It is already running.\n")
    assert vmrun("clone", vmx, copy, "full") == running
    assert vmrun("upgradevm", vmx) == running
    vmrun.ok("snapshot", vmx, "warm")
    unchanged = "Error: The state of the virtual machine has not changed since the last snapshot operation\n"
    for kind in ("full", "linked"):
        assert vmrun("clone", vmx, copy, kind, "-snapshot=warm") == (255, unchanged)
    vmrun.ok("suspend", vmx)
    assert vmrun("clone", vmx, copy, "full") == running
    assert not copy.parent.exists()


def test_a_clone_that_fails_leaves_nothing(vmrun: Vmrun) -> None:
    vmx, copy = counting_machine(vmrun, "one"), clone_path(vmrun, "two")
    vmrun.ok("snapshot", vmx, "s")
    disk = vmx.with_suffix(".vmdk")
    good = disk.read_bytes()
    disk.write_bytes(b"broken")
    for kind in ("full", "linked"):
        code, output = vmrun("clone", vmx, copy, kind, "-snapshot=s")
        assert (code, output[:7]) == (255, "Error: ")
        assert not copy.parent.exists()
    disk.write_bytes(good)
    vmrun.ok("deleteSnapshot", vmx, "s")
    assert disks(vmx) == {"one.vmdk"}


def test_a_disk_that_another_machine_in_the_directory_uses_is_not_deleted(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("snapshot", vmx, "s")
    other = vmx.with_name("other.vmx")
    other.write_text(vmx.read_text(encoding="utf-8"), encoding="utf-8")
    vmrun.ok("deleteVM", vmx)
    assert chain(other) == ["one-000001.vmdk", "one.vmdk"]
    assert boot(vmrun, other) == 1


def test_hardware_is_upgraded_once(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one", 'virtualHW.version = "19"\n')
    assert vmrun.ok("upgradevm", vmx) == ""
    assert Vmx.read(vmx).get("virtualHW.version") == "21"
    assert vmrun("upgradevm", vmx) == (255, "Error: The virtual machine is already up to date\n")
    assert boot(vmrun, vmx) == 1
