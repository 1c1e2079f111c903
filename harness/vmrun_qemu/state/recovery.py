"""What to do about a machine whose supervisor was killed: end what is left of it, so that the next command works."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from harness.system.process_identity import alive
from harness.vmrun_qemu.base import home, process, records
from harness.vmrun_qemu.base.endpoint import remove_socket_dir
from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.network import switch
from harness.vmrun_qemu.vmfiles import lock_files


def clean_up(folder: Path) -> bool:
    """End a crashed machine and remove its traces; return False when somebody else does it or has started it again."""
    lock = FileLock(folder / "lock", timeout=0)
    try:
        with lock:
            record = records.load(folder)
            if record is None:
                return True
            if alive(record["supervisor"]):
                return False
            end_all(record)
            return True
    except Timeout:
        return False


def end_all(record: Record) -> None:
    """End a QEMU that is left over, unplug it, remove its locks, sockets and record; the caller holds the lock."""
    process.end(record["qemu"])
    for plug in record["plugs"]:
        try:
            switch.pull_out(home.vm_id(record["vmx"]), plug)
        except Failure:
            continue  # the network's daemon drops members that are dead
    lock_files.release(map(Path, record["locks"]), record["supervisor"])
    lock_files.release_stale(Path(record["vmx"]).with_suffix(".vmsd"))
    remove_socket_dir(record["socket_dir"])
    records.forget(record["vmx"])
