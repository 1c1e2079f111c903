"""The inventory: running VMs in order, and the clean-up after a crash."""

from __future__ import annotations

from filelock import FileLock
from vm_record import record_of

from harness.system.process_identity import Identity
from harness.vmrun_qemu.base import home, records
from harness.vmrun_qemu.state import inventory

DEAD: Identity = {"pid": 1 << 22, "created": 1.0}


def test_without_a_record_no_vm_runs() -> None:
    assert inventory.all_living() == []
    assert inventory.find("/vms/a.vmx") is None


def test_a_starting_vm_lives_and_does_not_run_yet() -> None:
    first, second = record_of("/vms/a.vmx"), record_of("/vms/b.vmx", "starting")
    for record in (first, second):
        records.save(record)
    assert {record["vmx"] for record in inventory.all_living()} == {"/vms/a.vmx", "/vms/b.vmx"}
    assert inventory.all_running() == [first]
    assert inventory.find("/vms/b.vmx") == second


def test_a_crashed_vm_is_cleaned_up() -> None:
    records.save(record_of(supervisor=DEAD))
    assert inventory.find("/vms/a.vmx") is None
    assert records.load(home.vm_dir("/vms/a.vmx")) is None


def test_a_vm_that_another_process_works_on_stays_as_it_is() -> None:
    record = record_of(supervisor=DEAD)
    records.save(record)
    with FileLock(home.vm_dir("/vms/a.vmx") / "lock"):
        assert inventory.find("/vms/a.vmx") == record
