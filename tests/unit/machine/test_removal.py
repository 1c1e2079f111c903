"""Decoys survive: what this lab did not create is neither deleted nor stopped, and is reported with its reason."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from fake_hypervisor import FakeHypervisor
from fake_run import FakeRun
from needs import links

from harness.core.deadline import Deadline
from harness.core.errors import HostError
from harness.machine.removal import remove_all, remove_machine, remove_rest
from harness.ownership.ledger import ForwardingEntry, HomeEntry, Ledger, MachineEntry, ProcessEntry
from harness.ownership.marker import write_marker
from harness.system.process import Completed
from harness.system.process_identity import identity
from harness.system.process_tree import end_process
from harness.vmrun.driver import Vmrun

NONCE = "0123456789abcdef0123456789abcdef"
UUID = "01 23 45 67 89 ab cd ef-01 23 45 67 89 ab cd ef"


@pytest.fixture
def host() -> FakeHypervisor:
    return FakeHypervisor()


@pytest.fixture
def vmrun(host: FakeHypervisor) -> Vmrun:
    return Vmrun(("vmrun",), run=host)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.json", "lab")


def made(tmp_path: Path, ledger: Ledger, name: str = "m1", found: tuple[str, ...] | None = None) -> MachineEntry:
    """Leave a machine as a run makes it."""
    directory = tmp_path / name
    machine = MachineEntry(name, str(directory), "run-1", nonce=NONCE, found=found)
    ledger.write(machine)
    directory.mkdir(exist_ok=True)
    write_marker(directory, machine.token, "about")
    (directory / f"{name}.vmx").write_text(f'uuid.bios = "{UUID}"\nsata0:0.fileName = "{name}.vmdk"\n')
    for file in (f"{name}.vmdk", f"{name}-s001.vmdk", "vmware.log", "serial-1.log"):
        (directory / file).touch()
    return machine


def remove(vmrun: Vmrun, ledger: Ledger, machine: MachineEntry) -> list[str]:
    """Remove it, and return what was left, as text."""
    removal = remove_machine(vmrun, ledger, machine, Deadline(5))
    assert ledger.machine(machine.name) is None
    return [str(item) for item in removal.left]


def test_a_machine_of_ours_goes_with_its_directory(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    machine = made(tmp_path, ledger)
    host.running.add(str(tmp_path / "m1" / "m1.vmx"))
    (tmp_path / "m1" / "m1.vmdk.lck").mkdir()
    host.before_delete = (tmp_path / "m1" / "m1.vmx.lck").mkdir
    (tmp_path / "m1" / "m1.vmdk.lck").rmdir()
    assert remove(vmrun, ledger, machine) == []
    assert not (tmp_path / "m1").exists()
    assert host.running == set()


def test_removing_what_is_gone_is_fine(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    machine = MachineEntry("m1", str(tmp_path / "m1"), "run-1")
    ledger.write(machine)
    assert remove(vmrun, ledger, machine) == []
    assert remove(vmrun, ledger, machine) == []


@pytest.mark.parametrize("left", [(), ("airgap-lab.json.0a1b2c3d.tmp",), ("airgap-lab.json",)])
def test_a_directory_that_a_crash_left_before_its_mark_was_written_goes(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, left: tuple[str, ...]
) -> None:
    machine = MachineEntry("m1", str(tmp_path / "m1"), "run-1")
    ledger.write(machine)
    (tmp_path / "m1").mkdir()
    for name in left:
        (tmp_path / "m1" / name).write_text('{"token": ')
    assert remove(vmrun, ledger, machine) == []
    assert not (tmp_path / "m1").exists()


def test_foreign_files_in_our_directory_stay(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    machine = made(tmp_path, ledger, found=("vmware-3.log",))
    directory = tmp_path / "m1"
    decoys = ("thesis.docx", "vmware-3.log", "m10.vmdk", "family.vmdk")
    for name in decoys:
        (directory / name).write_text("precious")
    (directory / "photos").mkdir()
    (directory / "photos" / "m1.vmdk").write_text("precious")
    left = remove(vmrun, ledger, machine)
    assert sorted(path.name for path in directory.rglob("*")) == sorted([*decoys, "photos", "m1.vmdk"])
    assert f"{directory / 'vmware-3.log'} (it was there before this lab)" in left
    assert f"{directory / 'thesis.docx'} (no hypervisor gives a file of this machine that name)" in left
    assert len(left) == 5


def test_a_directory_that_was_there_stays_when_it_is_empty_again(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    assert remove(vmrun, ledger, made(tmp_path, ledger, found=())) == []
    assert list((tmp_path / "m1").iterdir()) == []


@links
def test_links_and_their_targets_stay(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "m1.vmdk").write_text("precious")
    machine = made(tmp_path, ledger)
    (tmp_path / "m1" / "m1-s002.vmdk").symlink_to(treasure / "m1.vmdk")
    (tmp_path / "m1" / "m1.vmem.lck").symlink_to(treasure, target_is_directory=True)
    assert len(remove(vmrun, ledger, machine)) == 2
    assert (treasure / "m1.vmdk").read_text() == "precious"
    assert sorted(path.name for path in (tmp_path / "m1").iterdir()) == ["m1-s002.vmdk", "m1.vmem.lck"]


def refused(vmrun: Vmrun, ledger: Ledger, machine: MachineEntry) -> str:
    """Try to remove a machine that is no longer ours; return the reported reason."""
    (removal,) = remove_all(vmrun, ledger, None, 5)
    assert isinstance(removal.error, HostError)
    assert "move it away; then run `lab down` again" in removal.error.remedy
    assert str(removal).startswith("m1: not removed: ")
    assert ledger.machine(machine.name) == machine
    return str(removal.error)


@links
def test_a_machine_directory_that_became_a_link_is_left_alone(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    machine = made(tmp_path, ledger)
    (tmp_path / "m1").rename(tmp_path / "elsewhere")
    (tmp_path / "m1").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    before = sorted((tmp_path / "elsewhere").iterdir())
    assert "it is a link; neither it nor its target is touched" in refused(vmrun, ledger, machine)
    assert sorted((tmp_path / "elsewhere").iterdir()) == before
    assert host.calls == []


def test_a_machine_of_our_name_that_we_did_not_create_is_neither_stopped_nor_deleted(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    machine = made(tmp_path, ledger)
    (tmp_path / "m1" / "airgap-lab.json").unlink()  # as in a directory of the same name that another user made instead
    host.running.add(str(tmp_path / "m1" / "m1.vmx"))
    before = sorted((tmp_path / "m1").iterdir())
    assert "does not have the marker" in refused(vmrun, ledger, machine)
    assert sorted((tmp_path / "m1").iterdir()) == before
    assert host.calls == []
    shutil.rmtree(tmp_path / "m1")
    host.running.clear()
    assert remove(vmrun, ledger, machine) == []


def test_a_running_machine_whose_directory_was_deleted_is_stopped_and_leaves_nothing(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    for found, left in ((None, ()), (("thesis.docx",), ())):
        machine = made(tmp_path, ledger, found=found)
        host.running.add(str(tmp_path / "m1" / "m1.vmx"))
        shutil.rmtree(tmp_path / "m1")
        assert remove(vmrun, ledger, machine) == list(left)
        assert host.running == set()
        assert not (tmp_path / "m1").exists()


def test_a_running_machine_without_its_vmx_is_stopped_and_what_is_beside_stays(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    machine = made(tmp_path, ledger)
    host.running.add(str(tmp_path / "m1" / "m1.vmx"))
    (tmp_path / "m1" / "m1.vmx").unlink()
    (tmp_path / "m1" / "thesis.docx").touch()
    assert len(remove(vmrun, ledger, machine)) == 1
    assert host.running == set()
    assert [path.name for path in (tmp_path / "m1").iterdir()] == ["thesis.docx"]


@pytest.mark.parametrize(
    "data",
    [
        b'.encoding = "no-such-charset"\nscsi0:0.fileName = "../m1/m1.vmdk"\n',
        b'.encoding = "UTF-8\0"\nscsi0:0.fileName = "../m1/m1.vmdk"\n',
        b'encryption.keySafe = "vmware:key/list"\nencryption.data = "AAAA"\n',
        b"<html>",
    ],
)
def test_nothing_is_deleted_while_a_neighbour_that_cannot_be_read_may_use_the_disk(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor, data: bytes
) -> None:
    made(tmp_path, ledger)
    host.running.add(str(tmp_path / "m1" / "m1.vmx"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "mine.vmx").write_bytes(data)
    before = sorted((tmp_path / "m1").iterdir())
    (removal,) = remove_all(vmrun, ledger, None, 5)
    assert isinstance(removal.error, HostError)
    assert removal.error.where == str(tmp_path / "mine" / "mine.vmx")
    assert sorted((tmp_path / "m1").iterdir()) == before
    assert ("list",) in host.calls
    assert {verb for verb, *_ in host.calls} == {"list"}


def test_a_machine_in_our_directory_keeps_the_disk_of_ours_that_it_uses(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger
) -> None:
    made(tmp_path, ledger)
    beside = tmp_path / "m1" / "other.vmx"
    beside.write_text('scsi0:0.fileName = "m1.vmdk"\n')
    (tmp_path / "m1" / "m1.vmdk").write_text("# Disk DescriptorFile\n")
    before = sorted((tmp_path / "m1").iterdir())
    (removal,) = remove_all(vmrun, ledger, None, 5)
    assert f"its disk is used by {beside}" in str(removal)
    assert sorted((tmp_path / "m1").iterdir()) == before


def test_a_machine_of_this_lab_whose_vmx_is_torn_does_not_keep_the_others(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger
) -> None:
    for name in ("m1", "m2"):
        made(tmp_path, ledger, name)
    (tmp_path / "m2" / "m2.vmx").write_text("uuid.bi")
    assert [removal.error for removal in remove_all(vmrun, ledger, None, 5)] == [None, None]
    assert not (tmp_path / "m1").exists()
    assert not (tmp_path / "m2").exists()


def test_a_foreign_vm_in_our_directory_keeps_its_locks_and_logs(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    machine = made(tmp_path, ledger)
    directory = tmp_path / "m1"
    (directory / "test.vmx").write_text('uuid.bios = "56"\n')
    for lock in ("test.vmx.lck", "m10.vmdk.lck", "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem.lck"):
        (directory / lock).mkdir()
        (directory / lock / "M1.lck").touch()
    (directory / "m1.nvram.lck").mkdir()
    before = {path.name for path in directory.iterdir() if not path.name.startswith(("m1.", "m1-", "airgap"))}
    assert "vmware.log" in before
    remove(vmrun, ledger, machine)
    assert {path.name for path in directory.iterdir()} == before
    assert len(list(directory.rglob("M1.lck"))) == 3


def test_a_vmx_that_was_put_in_place_of_ours_is_left_alone(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    machine = made(tmp_path, ledger)
    (tmp_path / "m1" / "m1.vmx").write_text('uuid.bios = "56 4d 00 00 00 00 00 00-00 00 00 00 00 00 00 01"\n')
    before = sorted((tmp_path / "m1").iterdir())
    assert "another uuid.bios" in refused(vmrun, ledger, machine)
    assert sorted((tmp_path / "m1").iterdir()) == before


def test_a_foreign_disk_that_the_vmx_names_is_detached_before_the_machine_is_deleted(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger
) -> None:
    machine = made(tmp_path, ledger)
    (tmp_path / "m1" / "family.vmdk").write_text("precious")
    (tmp_path / "other.vmdk").write_text("precious")
    with (tmp_path / "m1" / "m1.vmx").open("a") as vmx:
        vmx.write('sata0:2.fileName = "family.vmdk"\nsata0:3.fileName = "../other.vmdk"\n')
    remove(vmrun, ledger, machine)
    assert (tmp_path / "m1" / "family.vmdk").read_text() == (tmp_path / "other.vmdk").read_text() == "precious"


@pytest.mark.parametrize("name", ["photo.jpg", "../other.bin", "family.vmdk"])
@pytest.mark.parametrize("key", ["extent", "parent"])
def test_what_our_disk_names_and_is_not_ours_is_not_given_to_vmrun(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor, name: str, key: str
) -> None:
    machine = made(tmp_path, ledger)
    directory = tmp_path / "m1"
    foreign = (directory / name).resolve()
    foreign.write_text("precious")
    line = f'RW 8 FLAT "{name}" 0' if key == "extent" else f'parentFileNameHint="{name}"'
    (directory / "m1.vmdk").write_text(f"# Disk DescriptorFile\n{line}\n")
    seen: list[str] = []
    host.before_delete = lambda: seen.append((directory / "m1.vmx").read_text())
    remove(vmrun, ledger, machine)
    assert foreign.read_text() == "precious"
    assert len(seen) == 1
    assert "m1.vmdk" not in seen[0]
    assert not (directory / "m1.vmdk").exists()


def test_a_snapshot_list_that_names_a_foreign_file_is_not_given_to_vmrun(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    for text in ('snapshot0.disk0.fileName = "photos.vmdk"\n', 'snapshot0.filename = "../precious"\n'):
        machine = made(tmp_path, ledger)
        (tmp_path / "m1" / "m1.vmsd").write_text(text)
        seen: list[bool] = []
        host.before_delete = lambda seen=seen: seen.append((tmp_path / "m1" / "m1.vmsd").exists())  # type: ignore[misc]
        assert remove(vmrun, ledger, machine) == []
        assert seen == [False]


def test_any_key_of_the_vmx_that_names_a_foreign_file_is_removed(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    machine = made(tmp_path, ledger)
    (tmp_path / "precious").touch()
    keys = ("nvram", "checkpoint.vmState", "extendedConfigFile", "workingDir", "SERIAL1.FILENAME")
    with (tmp_path / "m1" / "m1.vmx").open("a") as vmx:
        vmx.writelines(f'{key} = "../precious"\n' for key in keys)
    seen: list[str] = []
    host.before_delete = lambda: seen.append((tmp_path / "m1" / "m1.vmx").read_text())
    remove(vmrun, ledger, machine)
    assert len(seen) == 1
    assert "precious" not in seen[0]


def test_vmwares_own_files_go_with_the_machine(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    machine = made(tmp_path, ledger)
    names = (
        "m1.scoreboard", "m1-0.scoreboard", "m1-39.scoreboard", "vprintproxy.log", "vprintproxy-0.log", "m1.hlog",
        "nvram", "m1.nvram", "m1.vmxf", "m1.vmsd", "m1.vmss", "m1.vmem", "m1-Snapshot2.vmsn", "vmware-0.log",
        "vmmcores.gz", "vmmcores-2.gz", "vmware-vmx.dmp", "vmware-vmx-12.dmp",
        "01234567-89ab-cdef-0123-456789abcdef.vmem",
    )  # fmt: skip
    for name in names:
        (tmp_path / "m1" / name).touch()
    for name in ("m1.vmem.lck", "01234567-89ab-cdef-0123-456789abcdef.vmem.lck"):
        (tmp_path / "m1" / name).mkdir()
        (tmp_path / "m1" / name / "M12345.lck").touch()
    assert remove(vmrun, ledger, machine) == []
    assert not (tmp_path / "m1").exists()


def test_what_is_in_a_lock_directory_and_is_no_lock_stays(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    machine = made(tmp_path, ledger)
    lock = tmp_path / "m1" / "m1.vmx.lck"
    lock.mkdir()
    for name in ("M12345.lck", "thesis.doc"):
        (lock / name).write_text("precious")
    (left,) = remove(vmrun, ledger, machine)
    assert left == f"{lock} (there is something else than a hypervisor's locks in it)"
    assert sorted(path.name for path in lock.iterdir()) == ["M12345.lck", "thesis.doc"]


def test_a_disk_of_ours_that_cannot_be_read_is_not_given_to_vmrun(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    machine = made(tmp_path, ledger)
    (tmp_path / "m1" / "m1.vmdk").write_bytes(b"KDMV")
    seen: list[str] = []
    host.before_delete = lambda: seen.append((tmp_path / "m1" / "m1.vmx").read_text())
    assert remove(vmrun, ledger, machine) == []
    assert len(seen) == 1
    assert "m1.vmdk" not in seen[0]


def test_a_machine_that_took_the_place_of_another_one_of_this_lab_keeps_the_disk_that_it_uses(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger
) -> None:
    """It is in the ledger by its path only: the marker is gone."""
    machine = made(tmp_path, ledger)
    made(tmp_path, ledger, "m2")
    (tmp_path / "m2" / "airgap-lab.json").unlink()
    (tmp_path / "m2" / "m2.vmx").write_text(f'scsi0:0.fileName = "{tmp_path / "m1" / "m1.vmdk"}"\n')
    with pytest.raises(HostError, match="its disk is used by"):
        remove_machine(vmrun, ledger, machine, Deadline(5))
    assert (tmp_path / "m1" / "m1.vmdk").exists()


@links
def test_a_vmx_that_became_a_link_is_not_given_to_vmrun(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    made(tmp_path, ledger)
    target = tmp_path / "moved" / "m1.vmx"
    target.parent.mkdir()
    (tmp_path / "m1" / "m1.vmx").rename(target)
    (tmp_path / "m1" / "m1.vmx").symlink_to(target)
    (removal,) = remove_all(vmrun, ledger, None, 5)
    assert "link" in str(removal)
    assert target.exists()
    assert "deleteVM" not in {verb for verb, *_ in host.calls}


def test_only_its_own_forwardings_are_ended(tmp_path: Path, ledger: Ledger) -> None:
    machine = made(tmp_path, ledger)
    mine, other = ForwardingEntry("m1", "vmnet1", 2201), ForwardingEntry("m2", "vmnet1", 2202)
    for entry in (mine, other):
        ledger.write(entry)
    listed = "Total port forwardings: 3\n" + "".join(
        f"{number}  tcp  {port}  192.168.6.1{number}  22  m{number}\n" for number, port in enumerate((2201, 2202, 4000))
    )
    host = FakeHypervisor()
    ended: list[tuple[str, ...]] = []

    def run(argv: object, **words: Any) -> Completed:
        command = [str(word) for word in cast("list[str]", argv)]
        if command[3] == "listPortForwardings":
            return Completed(tuple(command), 0, listed, "", 0.0)
        if command[3] == "deletePortForwarding":
            ended.append(tuple(command[4:]))
            return Completed(tuple(command), 0, "", "", 0.0)
        return host(argv, **words)

    remove_machine(Vmrun(("vmrun",), run=run), ledger, machine, Deadline(5))
    assert [words[2] for words in ended] == ["2201"]
    assert ledger.read().all_of(ForwardingEntry) == (other,)


def test_a_torn_vmx_goes_with_its_directory(tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor) -> None:
    machine = made(tmp_path, ledger)
    (tmp_path / "m1" / "m1.vmx").write_text("uuid.bi")
    assert remove(vmrun, ledger, machine) == []
    assert not (tmp_path / "m1").exists()


def test_a_disk_that_a_clone_is_based_on_stays_and_the_clone_is_named(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger
) -> None:
    machine = made(tmp_path, ledger)
    clone = tmp_path / "clone" / "clone.vmx"
    clone.parent.mkdir()
    clone.write_text('sata0:0.fileName = "clone.vmdk"\n')
    (clone.parent / "clone.vmdk").write_text(
        f'# Disk DescriptorFile\nparentFileNameHint="{tmp_path / "m1" / "m1.vmdk"}"\n'
    )
    before = sorted((tmp_path / "m1").iterdir())
    with pytest.raises(HostError, match=f"its disk is used by {re.escape(str(clone))}"):
        remove_machine(vmrun, ledger, machine, Deadline(5))
    assert sorted((tmp_path / "m1").iterdir()) == before
    assert ledger.machine("m1") == machine
    clone.unlink()
    assert remove(vmrun, ledger, machine) == []


def test_one_that_starts_again_while_it_is_deleted_is_stopped_again(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, host: FakeHypervisor
) -> None:
    """A `vmrun start` that outlived its killed session ends some time later."""
    machine = made(tmp_path, ledger)
    late = [str(tmp_path / "m1" / "m1.vmx")]

    def start_late() -> None:
        if late:
            host.running.add(late.pop())

    host.before_delete = start_late
    assert remove(vmrun, ledger, machine) == []
    assert not (tmp_path / "m1").exists()
    assert host.running == set()


def test_each_machine_is_tried_whatever_becomes_of_the_others(tmp_path: Path, vmrun: Vmrun, ledger: Ledger) -> None:
    made(tmp_path, ledger, "m1")
    made(tmp_path, ledger, "m2")
    (tmp_path / "m1" / "m1.vmsd").write_text(f'clone0 = "{tmp_path / "c.vmx"}"\n')
    (tmp_path / "c.vmx").write_text('displayName = "c"\n')
    first, second = remove_all(vmrun, ledger, None, 5)
    assert isinstance(first.error, HostError)
    assert second.error is None
    assert [item.name for item in ledger.machines()] == ["m1"]


def test_a_file_that_cannot_be_read_is_that_machines_alone(
    tmp_path: Path, vmrun: Vmrun, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, ledger, "m1")
    made(tmp_path, ledger, "m2")
    replace = Path.replace

    def refuse(new: Path, target: Path) -> Path:
        if target.name == "m1.vmx":
            raise PermissionError(13, "The process cannot access the file", str(target))
        return replace(new, target)

    monkeypatch.setattr(Path, "replace", refuse)
    for name in ("m1", "m2"):
        with (tmp_path / name / f"{name}.vmx").open("a") as vmx:
            vmx.write('sata0:3.fileName = "../other.vmdk"\n')
    first, second = remove_all(vmrun, ledger, None, 5)
    assert f"{tmp_path / 'm1' / 'm1.vmx'}: the file cannot be used: The process cannot" in str(first.error)
    assert first.error is not None
    assert "close what holds it" in first.error.remedy
    assert second.error is None


def test_the_rest_stays_while_a_machine_is_there_and_goes_with_the_last(tmp_path: Path, ledger: Ledger) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for thing in (
        made(tmp_path, ledger),
        HomeEntry(str(home)),
        ProcessEntry("registry", ("registry", "word"), 1, 2.0),
    ):
        ledger.write(thing)
    ended: list[object] = []

    def end(process: ProcessEntry) -> None:
        ended.append((process.pid, process.started, process.argv))

    run = FakeRun().on("vmrun", "-T", "ws", "removeState", then=home.rmdir)
    remove_rest(Vmrun(("vmrun",), run=run), ledger, end)
    assert (run.calls, ended) == ([], [])
    ledger.delete(ledger.machines()[0])
    remove_rest(Vmrun(("vmrun",), run=run), ledger, end)
    assert ended == [(1, 2.0, ("registry", "word"))]
    assert ledger.read().entries == ()
    assert not home.exists()


def test_a_process_is_ended_by_its_start_or_by_its_command_line_and_no_other_one_is(tmp_path: Path) -> None:
    word = str(tmp_path / "word")
    program = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", "serve", word]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()  # it is what it will be
            argv = psutil.Process(child.pid).cmdline()  # an interpreter that is a script is another program by now
            started = identity(child.pid)["created"]
            end_process(child.pid, started - 100, argv)
            for other in ([word], ["less", *argv[1:]], argv[:-1], [argv[0], "serve", word]):
                end_process(0, 0.0, other)  # an editor, a pager, another verb
            assert child.poll() is None
            end_process(0, 0.0, argv)
            child.wait(10)
        finally:
            child.kill()
    assert not psutil.pid_exists(child.pid)
    end_process(child.pid, started, argv)
