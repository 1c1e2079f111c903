"""The record of a VM: written, read, deleted."""

from __future__ import annotations

from vm_record import record_of

from harness.vmrun_qemu.base import home, records


def test_a_record_is_read_as_it_was_written() -> None:
    record = record_of()
    records.save(record)
    assert records.load(home.vm_dir("/vms/a.vmx")) == record
    assert records.load(home.vm_dir("/vms/b.vmx")) is None


def test_a_forgotten_vm_has_no_record() -> None:
    records.save(record_of())
    records.forget("/vms/a.vmx")
    records.forget("/vms/a.vmx")
    assert records.load(home.vm_dir("/vms/a.vmx")) is None


def test_a_damaged_record_is_none() -> None:
    records.save(record_of())
    (home.vm_dir("/vms/a.vmx") / "record.json").write_text("{", encoding="utf-8")
    assert records.load(home.vm_dir("/vms/a.vmx")) is None
