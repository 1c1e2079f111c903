"""Power verbs on real QEMU: words, exit codes, files, crashes."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path

import psutil
from qemu_lab import Vmrun, eventually, vmrun_fixture  # noqa: F401 - pytest finds the fixture here

from harness.system import process_identity
from harness.vmware.vmx import Vmx


def test_a_machine_is_listed_while_it_runs_and_its_vmx_is_rewritten_at_power_off(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    assert vmrun.ok("list") == "Total running VMs: 0\n"
    assert vmrun.ok("-T", "ws", "start", vmx, "nogui") == ""
    assert vmrun.ok("list") == f"Total running VMs: 1\n{vmx}\n"
    assert {path.name for path in vmx.parent.glob("*.lck")} == {"one.vmx.lck", "one.vmdk.lck"}
    assert [path.name[0] for path in (vmx.parent / "one.vmx.lck").iterdir()] == ["M"]
    running = Vmx.read(vmx)
    assert (running.get("ethernet0.generatedAddress") or "").startswith("00:0c:29:")
    running.set("displayName", "edited while it runs")
    running.write(vmx)
    sockets = Path(vmrun.record(vmx)["socket_dir"])
    assert sockets.is_dir()

    assert vmrun.ok("stop", vmx, "hard") == ""

    assert vmrun.ok("list") == "Total running VMs: 0\n"
    assert Vmx.read(vmx).get("displayName") == "one"
    assert Vmx.read(vmx).get("ethernet0.generatedAddress") == running.get("ethernet0.generatedAddress")
    assert list(vmx.parent.glob("*.lck")) == []
    assert not sockets.exists()
    assert vmrun.processes() == []


def test_what_an_off_machine_answers(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    off = f"Error: The virtual machine is not powered on: {vmx}\n"
    assert vmrun("stop", vmx, "hard") == (255, off)
    assert vmrun("reset", vmx, "hard") == (255, off)
    assert vmrun("getGuestIPAddress", vmx) == (255, off)
    assert vmrun("captureScreen", vmx, vmrun.vms / "x.png") == (255, off)
    assert vmrun("checkToolsState", vmx) == (254, "unknown\n")


def test_what_a_machine_without_tools_answers(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    silent = f"Error: The VMware Tools are not running in the virtual machine: {vmx}\n"
    assert vmrun("checkToolsState", vmx) == (254, "unknown\n")
    assert vmrun("getGuestIPAddress", vmx) == (255, silent)
    assert vmrun("reset", vmx, "soft") == (255, silent)
    before = vmrun.record(vmx)["qemu"]
    assert vmrun("reset", vmx, "hard") == (0, "")
    assert vmrun.record(vmx)["qemu"] == before
    png = vmrun.vms / "screen.png"
    assert vmrun("captureScreen", vmx, png) == (255, silent)
    vmrun.env["VMRUN_QEMU_SCREEN"] = "without-login"
    assert vmrun("captureScreen", vmx, png) == (0, "")
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) >= (640, 400)


def test_a_soft_stop_without_an_answer_ends_and_leaves_the_vm_on(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    vmrun.env["VMRUN_QEMU_SOFT_STOP_S"] = "1"
    code, output = vmrun("stop", vmx, "soft")
    assert code == 255
    assert output.startswith("Error: ")
    assert str(vmx) in vmrun.ok("list")


def test_a_second_start_is_silent_or_an_error_as_configured(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    first = vmrun.record(vmx)
    assert vmrun.ok("start", vmx, "nogui") == ""
    assert vmrun.record(vmx) == first
    vmrun.env["VMRUN_QEMU_FAULTS"] = "already-running"
    code, output = vmrun("start", vmx, "nogui")
    assert (code, output) == (255, "Error: The virtual machine should not be powered on. It is already running.\n")


def test_two_starts_at_once_make_one_machine(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    started = [vmrun.begin("start", vmx, "nogui") for _ in range(3)]
    assert [process.communicate(timeout=60)[0] for process in started] == [b"", b"", b""]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert vmrun.ok("list").startswith("Total running VMs: 1\n")
    guests = [words for words in vmrun.processes() if words.startswith("/") and "guest=one" in words]
    assert len(guests) == 1


def test_machines_of_another_home_are_invisible_and_in_use(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    other = Vmrun(vmrun.home.with_name("other"), vmrun.vms)
    assert other.ok("list") == "Total running VMs: 0\n"
    assert other("start", vmx, "nogui") == (255, "Error: The file is already in use\n")
    assert other("stop", vmx, "hard")[0] == 255
    assert other("deleteVM", vmx) == (255, "Error: The file is already in use\n")
    assert str(vmx) in vmrun.ok("list")


def test_a_lock_of_another_program_is_respected(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    lock = vmx.with_name("one.vmx.lck")
    lock.mkdir()
    (lock / "M12345.lck").write_text("host 1234-133(vmware.exe)", encoding="utf-8")
    assert vmrun("start", vmx, "nogui") == (255, "Error: The file is already in use\n")
    assert (lock / "M12345.lck").exists()
    shutil.rmtree(lock)


def test_a_stale_lock_of_a_dead_process_is_replaced(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    lock = vmx.with_name("one.vmx.lck")
    lock.mkdir()
    (lock / "M12345.lck").write_text("vmrun-qemu 999999999-1.5(vmrun-qemu)\n", encoding="utf-8")
    vmrun.ok("start", vmx, "nogui")


def test_a_killed_qemu_is_a_machine_that_is_off(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    psutil.Process(vmrun.record(vmx)["qemu"]["pid"]).kill()
    assert eventually(lambda: vmrun.ok("list") == "Total running VMs: 0\n")
    assert eventually(lambda: not list(vmx.parent.glob("*.lck")))
    assert "Msg_Post: Error" in (vmx.parent / "vmware.log").read_text(encoding="utf-8")
    vmrun.ok("start", vmx, "nogui")


def test_a_stuck_qemu_is_ended_by_a_hard_stop(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    psutil.Process(vmrun.record(vmx)["qemu"]["pid"]).suspend()
    assert vmrun.ok("stop", vmx, "hard") == ""
    assert vmrun.ok("list") == "Total running VMs: 0\n"


def none_runs(vmrun: Vmrun) -> bool:
    """Whether `list` shows no VM: a killed process holds its locks until its last thread has ended."""
    return vmrun.ok("list") == "Total running VMs: 0\n"


def test_a_killed_supervisor_takes_its_machine_along_and_the_next_start_works(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    record = vmrun.record(vmx)
    psutil.Process(record["supervisor"]["pid"]).kill()
    assert eventually(lambda: not any(process_identity.alive(record[name]) for name in ("supervisor", "qemu")))
    assert eventually(lambda: none_runs(vmrun))
    assert list(vmx.parent.glob("*.lck")) == []
    vmrun.ok("start", vmx, "nogui")
    assert str(vmx) in vmrun.ok("list")


def test_an_orphaned_qemu_is_ended_by_the_next_command(vmrun: Vmrun) -> None:
    programs = vmrun.vms / "bin"
    programs.mkdir(parents=True)
    for name in ("qemu-system-x86_64", "qemu-img"):
        (programs / name).symlink_to(shutil.which(name) or "")
    vmrun.env["PATH"] = str(programs)  # no setpriv there: QEMU does not end with its supervisor
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    record = vmrun.record(vmx)
    psutil.Process(record["supervisor"]["pid"]).kill()
    psutil.Process(vmrun.switch()["daemon"]["pid"]).kill()
    assert eventually(lambda: not process_identity.alive(record["supervisor"]))  # a busy host takes its time to kill
    assert psutil.Process(record["qemu"]["pid"]).status() != "zombie"
    assert eventually(lambda: none_runs(vmrun))
    assert vmrun.processes() == []
    assert list(vmx.parent.glob("*.lck")) == []


def test_a_vmx_that_cannot_be_read_is_not_started(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    good = vmx.read_text(encoding="utf-8")
    vmx.write_text(good + "no equals sign\n", encoding="utf-8")
    wanted = f"Error: Cannot open VM: {vmx}, Cannot read the virtual machine configuration file\n"
    assert vmrun("start", vmx, "nogui") == (255, wanted)
    reason = (vmx.parent / "vmware.log").read_text(encoding="utf-8").partition("Msg_Post: Error")[2]
    assert f"line {len(good.splitlines()) + 1}: " in reason
    vmx.write_text(good, encoding="utf-8")
    vmrun.ok("start", vmx, "nogui")


def test_a_record_of_a_reused_process_id_is_not_believed(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    (file,) = vmrun.home.glob("vm/*/record.json")
    text = file.read_text(encoding="utf-8")
    vmrun.ok("stop", vmx, "hard")
    me = psutil.Process()
    value = json.loads(text)
    value["supervisor"] = {"pid": me.pid, "created": me.create_time() - 1000}
    value["qemu"] = {"pid": me.pid, "created": me.create_time() - 1000}
    value["locks"] = []
    file.write_text(json.dumps(value), encoding="utf-8")
    assert vmrun.ok("list") == "Total running VMs: 0\n"
    assert not file.exists()


def test_power_on_failures_have_their_reason_in_the_log(vmrun: Vmrun) -> None:
    for name, extra, text, reason in [
        ("efi", 'firmware = "efi"\n', "Unknown error", "firmware"),
        ("nodisk", 'sata0:2.present = "TRUE"\nsata0:2.fileName = "no.vmdk"\n', "The operation was canceled", "no.vmdk"),
        ("noiso", 'sata0:1.startConnected = "TRUE"\n', "The operation was canceled", "noiso.iso"),
        ("huge", 'memsize = "1000000"\n', "The operation was canceled", "QEMU"),
    ]:
        vmx = vmrun.machine(name, extra)
        assert vmrun("start", vmx, "nogui") == (255, f"Error: {text}\n")
        log = (vmx.parent / "vmware.log").read_text(encoding="utf-8")
        assert "Msg_Post: Error" in log
        assert reason in log.partition("Msg_Post: Error")[2]
        assert list(vmx.parent.glob("*.lck")) == []
    assert vmrun.processes() == []


def test_a_missing_iso_is_disconnected_when_questions_are_answered_by_default(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one", 'sata0:1.startConnected = "TRUE"\nmsg.autoAnswer = "TRUE"\n')
    vmrun.ok("start", vmx, "nogui")
    assert "starts disconnected" in (vmx.parent / "vmware.log").read_text(encoding="utf-8")


def test_a_window_needs_a_display(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    wanted = "Error: Cannot launch the UI because no display server is present in the current environment\n"
    assert vmrun("start", vmx) == (255, wanted)
    assert vmrun("start", vmx, "gui") == (255, wanted)


def test_delete_takes_the_machines_files_and_nothing_else(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    running = "Error: The virtual machine should not be powered on. It is already running.\n"
    assert vmrun("deleteVM", vmx) == (255, running)
    vmrun.ok("stop", vmx, "hard")
    foreign = vmx.with_name("notes.txt")
    foreign.write_text("mine", encoding="utf-8")
    assert vmrun.ok("deleteVM", vmx) == ""
    assert [file.name for file in vmx.parent.iterdir()] == ["notes.txt"]
    second = vmrun.machine("two")
    vmrun.ok("deleteVM", second)
    assert not second.parent.exists()
    missing = f"Error: Cannot open VM: {second}, The virtual machine cannot be found\n"
    assert vmrun("deleteVM", second) == (255, missing)


def test_a_relative_home_is_the_same_for_every_process(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.env["VMRUN_QEMU_HOME"] = os.path.relpath(vmrun.home)
    vmrun.ok("start", vmx, "nogui")
    assert vmrun.ok("list") == f"Total running VMs: 1\n{vmx}\n"
