"""suspend, pause and unpause on a real QEMU machine whose guest counts."""

from __future__ import annotations

from pathlib import Path

import psutil
from counting_guest import counting_machine, next_count, stands_still
from qemu_lab import Vmrun, eventually, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.vmrun_qemu.qemu import qmp
from harness.vmware.vmx import Vmx


def saved(vmx: Path) -> list[Path]:
    return sorted(vmx.parent.glob("*.vms[sn]"))


def test_a_suspended_machine_is_off_the_list_and_goes_on_where_it_was(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)

    assert vmrun.ok("suspend", vmx, "hard") == ""

    assert vmrun.ok("list") == "Total running VMs: 0\n"
    assert vmrun.processes() == []
    (state,) = saved(vmx)
    assert Vmx.read(vmx).get("checkpoint.vmState") == state.name
    off = f"Error: The virtual machine is not powered on: {vmx}\n"
    for words in (("stop", vmx, "hard"), ("reset", vmx, "hard"), ("suspend", vmx), ("pause", vmx), ("unpause", vmx)):
        assert vmrun(*words) == (255, off)
    assert saved(vmx) == [state]

    vmrun.ok("start", vmx, "nogui")

    after = next_count(vmx)
    assert (after.boots, after.nonce) == (before.boots, before.nonce)
    assert before.ticks < after.ticks < before.ticks + 600
    assert saved(vmx) == []
    assert Vmx.read(vmx).get("checkpoint.vmState") == ""
    vmrun.ok("stop", vmx, "hard")
    vmrun.ok("start", vmx, "nogui")
    assert next_count(vmx).boots == before.boots + 1


def test_a_machine_is_suspended_more_than_once_and_from_a_pause(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    first = next_count(vmx)
    for words in ((), ("hard",)):
        vmrun.ok("pause", vmx)
        vmrun.ok("suspend", vmx, *words)
        vmrun.ok("start", vmx, "nogui")
        assert next_count(vmx).nonce == first.nonce


def test_a_paused_machine_is_listed_and_refuses_power_and_guest_operations(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    before = next_count(vmx)
    assert vmrun.ok("pause", vmx) == ""
    assert stands_still(vmx)
    assert vmrun.ok("list") == f"Total running VMs: 1\n{vmx}\n"
    paused = f"Error: The virtual machine is paused: {vmx}\n"
    operations: list[tuple[str | Path, ...]] = [
        ("start", vmx, "nogui"), ("stop", vmx, "hard"), ("stop", vmx, "soft"), ("reset", vmx, "hard"), ("pause", vmx),
        ("getGuestIPAddress", vmx), ("captureScreen", vmx, vmrun.vms / "x.png"),
    ]  # fmt: skip
    for words in operations:
        assert vmrun(*words) == (255, paused), words
    assert vmrun.ok("unpause", vmx) == ""
    after = next_count(vmx)
    assert (after.nonce, after.ticks) > (before.nonce, before.ticks)
    assert vmrun.ok("unpause", vmx) == ""


def test_without_tools_only_a_hard_suspend_is_possible(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    silent = f"Error: The VMware Tools are not running in the virtual machine: {vmx}\n"
    assert vmrun("suspend", vmx, "soft") == (255, silent)
    next_count(vmx)


def test_a_state_that_is_missing_or_damaged_does_not_start_and_is_kept(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    vmrun.ok("suspend", vmx)
    (state,) = saved(vmx)
    good = state.read_bytes()
    for data in (None, b"nonsense", good[: len(good) // 2]):
        state.unlink(missing_ok=True)
        if data is not None:
            state.write_bytes(data)
        assert vmrun("start", vmx, "nogui") == (255, "Error: The operation was canceled\n")
        assert "Msg_Post: Error" in (vmx.parent / "vmware.log").read_text(encoding="utf-8")
        assert Vmx.read(vmx).get("checkpoint.vmState") == state.name
        assert list(vmx.parent.glob("*.lck")) == []
    state.write_bytes(good)
    vmrun.ok("start", vmx, "nogui")
    next_count(vmx)


def test_a_paused_machine_whose_qemu_dies_is_off(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmrun.ok("start", vmx, "nogui")
    vmrun.ok("pause", vmx)
    psutil.Process(vmrun.record(vmx)["qemu"]["pid"]).kill()
    assert eventually(lambda: vmrun.ok("list") == "Total running VMs: 0\n")
    vmrun.ok("start", vmx, "nogui")
    next_count(vmx)


def test_what_was_plugged_and_written_is_there_when_the_machine_goes_on(vmrun: Vmrun) -> None:
    vmx = counting_machine(vmrun, "one")
    vmx.with_suffix(".iso").write_bytes(bytes(1 << 20))
    vmrun.ok("start", vmx, "nogui")
    next_count(vmx)
    vmrun.ok("connectNamedDevice", vmx, "sata0:1")
    vmrun.ok("writeVariable", vmx, "runtimeConfig", "guestinfo.mood", "good")
    for verb in ("suspend", "snapshot"):
        vmrun.ok(verb, vmx, *(["s"] if verb == "snapshot" else []))
        if verb == "snapshot":
            vmrun.ok("revertToSnapshot", vmx, "s")
        vmrun.ok("start", vmx, "nogui")
        assert loaded(vmrun, vmx)
        assert vmrun.ok("readVariable", vmx, "runtimeConfig", "guestinfo.mood") == "good\n"
    vmrun.ok("disconnectNamedDevice", vmx, "sata0:1")
    vmrun.ok("suspend", vmx)
    vmrun.ok("start", vmx, "nogui")
    assert not loaded(vmrun, vmx)
    vmrun.ok("stop", vmx, "hard")
    assert vmrun.ok("listSnapshots", vmx) == "Total snapshots: 1\ns\n"


def loaded(vmrun: Vmrun, vmx: Path) -> bool:
    (blocks,) = qmp.ask(vmrun.record(vmx)["qmp"], ("query-block", {}))
    return any("inserted" in block for block in blocks if block.get("qdev", "").endswith("sata0-1"))
