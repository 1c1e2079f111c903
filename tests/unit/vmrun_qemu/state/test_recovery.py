"""Recovery after a crash: process, locks, socket directory and record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vm_record import record_of

from harness.system.process_identity import Identity, alive, identity
from harness.vmrun_qemu.base import home, records
from harness.vmrun_qemu.base.endpoint import make_socket_dir, new_socket_dir
from harness.vmrun_qemu.state import recovery
from harness.vmrun_qemu.vmfiles import lock_files

DEAD: Identity = {"pid": 1 << 22, "created": 1.0}


def test_all_traces_of_a_crashed_vm_are_removed(tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.touch()
    record = record_of(str(vmx), supervisor=DEAD)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        record["qemu"] = identity(child.pid)
        record["locks"] = [str(lock) for lock in lock_files.take([vmx], DEAD)]
        record["socket_dir"] = new_socket_dir()
        make_socket_dir(record["socket_dir"])
        records.save(record)
        assert recovery.clean_up(home.vm_dir(vmx))
        assert not alive(record["qemu"])
    assert records.load(home.vm_dir(vmx)) is None
    assert not record["socket_dir"] or not Path(record["socket_dir"]).exists()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".lck"] == []


def test_a_vm_that_was_started_again_is_left_alone() -> None:
    record = record_of()
    records.save(record)
    assert not recovery.clean_up(home.vm_dir("/vms/a.vmx"))
    assert records.load(home.vm_dir("/vms/a.vmx")) == record


def test_a_vm_without_a_record_is_off() -> None:
    folder = home.vm_dir("/vms/a.vmx")
    folder.mkdir(parents=True)
    assert recovery.clean_up(folder)
