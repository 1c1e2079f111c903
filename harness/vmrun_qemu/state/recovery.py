"""Recovery: clean up after a VM whose supervisor was killed."""

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
    """Clean up after a crashed VM; return whether it is off.

    It is not when another process cleans up at the same time, or has started the VM again.
    """
    lock = FileLock(folder / "lock", timeout=0)
    try:
        with lock:
            record = records.load(folder)
            if record is None:
                return True
            if alive(record["supervisor"]):
                return False
            remove_traces(record)
            return True
    except Timeout:
        return False


def remove_traces(record: Record) -> None:
    """End the QEMU of a VM and remove its traces.

    It is unplugged; its locks, sockets and record are removed. The caller holds the VM's lock.
    """
    process.end(record["qemu"])
    for plug in record["plugs"]:
        try:
            switch.pull_out(home.vm_id(record["vmx"]), plug)
        except Failure:
            continue  # the daemon of the network drops dead members
    lock_files.release(map(Path, record["locks"]), record["supervisor"])
    lock_files.release_stale(Path(record["vmx"]).with_suffix(".vmsd"))
    remove_socket_dir(record["socket_dir"])
    records.forget(record["vmx"])
