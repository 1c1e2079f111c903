"""Concurrent commands, killed commands, and a supervisor that dies meanwhile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
from counting_guest import counting_machine, next_count
from qemu_lab import Vmrun, eventually, vmrun_fixture  # noqa: F401 - pytest finds the fixture here
from test_snapshots import boot, chain, disks

from harness.vmware.vmx import Vmx


def has_asked(command: subprocess.Popen[bytes]) -> bool:
    """Return whether the command has connected to a supervisor, which a busy host takes seconds for."""
    return eventually(lambda: psutil.Process(command.pid).net_connections(kind="unix") != [])


def test_snapshots_at_once_follow_one_another(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    for _ in range(2):
        began = [vmrun.begin("snapshot", vmx, name) for name in "abc"]
        assert {process.communicate(timeout=60)[0] for process in began} <= {b""}
        assert sorted(vmrun.ok("listSnapshots", vmx).split()[3:]) == ["a", "b", "c"]
        began = [vmrun.begin("deleteSnapshot", vmx, name) for name in "abc"]
        assert [(process.communicate(timeout=60)[0], process.returncode) for process in began] == [(b"", 0)] * 3
        assert disks(vmx) == {"one.vmdk"}
        assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 0\n"
        if vmrun.ok("list").startswith("Total running VMs: 1"):
            assert next_count(vmx).nonce == before.nonce
            vmrun.ok("stop", vmx, "hard")


def test_starts_at_once_do_not_wait_and_break_nothing(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    for name in "abc":
        boot(vmrun, vmx)
        vmrun.ok("snapshot", vmx, name)
    deletion = vmrun.begin("deleteSnapshot", vmx, "a", "andDeleteChildren")
    code, output = vmrun("start", vmx, "nogui")
    assert (code, output) in [(0, ""), (255, "Error: The file is already in use\n")]
    assert (deletion.communicate(timeout=60)[0], deletion.returncode) in [
        (b"", 0), (b"Error: The file is already in use\n", 255),
    ]  # fmt: skip
    vmrun.ok("start", vmx, "nogui")
    assert next_count(vmx).boots == 4


def test_a_command_that_is_killed_is_carried_out_all_the_same(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    psutil.Process(vmrun.record(vmx)["qemu"]["pid"]).suspend()  # so that the order takes as long as it likes
    command = vmrun.begin("snapshot", vmx, "s")
    assert has_asked(command)
    assert not eventually(lambda: command.poll() is not None, 1.5)
    command.kill()
    command.communicate(timeout=10)
    psutil.Process(vmrun.record(vmx)["qemu"]["pid"]).resume()
    assert eventually(lambda: vmrun.ok("listSnapshots", vmx) == "Total snapshots: 1\ns\n")
    assert next_count(vmx).nonce == before.nonce
    vmrun.ok("deleteSnapshot", vmx, "s")


def test_a_command_on_a_machine_that_is_off_can_be_killed_at_any_moment(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    boots = boot(vmrun, vmx)
    vmrun.ok("snapshot", vmx, "base")
    for number in range(6):
        for words in (("snapshot", vmx, f"s{number}"), ("deleteSnapshot", vmx, f"s{number - 1}")):
            command = vmrun.begin(*words)
            eventually(lambda command=command: command.poll() is not None, 0.12 + 0.05 * number)
            command.kill()
            command.communicate(timeout=10)
        boots += 1
        assert boot(vmrun, vmx) == boots
        assert list(vmx.parent.glob("*.lck")) == []
    vmrun.ok("deleteSnapshot", vmx, "base", "andDeleteChildren")
    assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 0\n"
    assert boot(vmrun, vmx) == boots + 1


def test_a_supervisor_that_dies_while_it_saves_leaves_a_machine_that_is_off(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    for verb in (("suspend", vmx, "hard"), ("snapshot", vmx, "s")):
        record = vmrun.record(vmx)
        psutil.Process(record["qemu"]["pid"]).suspend()
        command = vmrun.begin(*verb)
        assert has_asked(command)
        assert not eventually(lambda command=command: command.poll() is not None, 1.5)
        psutil.Process(record["supervisor"]["pid"]).kill()
        output = command.communicate(timeout=60)[0]
        assert (command.returncode, output[:20]) == (255, b"Error: Unknown error")
        assert vmrun.ok("list") == "Total running VMs: 0\n"
        assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 0\n"
        assert not Vmx.read(vmx).get("checkpoint.vmState")
        vmrun.ok("start", vmx, "nogui")
        before, last = next_count(vmx), before
        assert before.boots == last.boots + 1


def test_machines_of_two_homes_share_a_snapshot_but_no_machine(vmrun: Vmrun) -> None:
    vmx, copy = counting_machine(vmrun, "one"), vmrun.vms / "two" / "two.vmx"
    vmrun.ok("snapshot", vmx, "s")
    other = Vmrun(vmrun.home.with_name("other"), vmrun.vms)
    other.ok("clone", vmx, copy, "linked", "-snapshot=s")
    vmrun.ok("start", vmx, "nogui")
    other.ok("start", copy, "nogui")
    try:
        assert vmrun.ok("list") == f"Total running VMs: 1\n{vmx}\n"
        assert other.ok("list") == f"Total running VMs: 1\n{copy}\n"
        in_use = (255, "Error: The file is already in use\n")
        for words in (("snapshot", vmx, "t"), ("revertToSnapshot", vmx, "s"), ("deleteVM", vmx), ("upgradevm", vmx)):
            assert other(*words) == in_use, words
        assert vmrun("deleteSnapshot", vmx, "s")[0] == 255, "the clone runs on it"
    finally:
        other("stop", copy, "hard")
    assert chain(copy) == ["two.vmdk", "one.vmdk"]


def test_a_pause_ends_when_the_machine_is_reverted(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("snapshot", vmx, "s")
    vmrun.ok("start", vmx, "nogui")
    vmrun.ok("pause", vmx)
    vmrun.ok("revertToSnapshot", vmx, "s")
    assert vmrun.ok("list") == "Total running VMs: 0\n"
    vmrun.ok("start", vmx, "nogui")
    assert next_count(vmx).boots == 1
    assert Path(vmx).exists()
