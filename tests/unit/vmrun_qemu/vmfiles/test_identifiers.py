"""Ids and addresses that a power-on writes into the VMX."""

from __future__ import annotations

import re

from harness.vmrun_qemu.vmfiles.identifiers import power_on_changes, serial_number, uuid_bytes
from harness.vmware.vmx import Vmx

TWO_CARDS = 'ethernet0.present = "TRUE"\nethernet1.present = "TRUE"\nethernet1.addressType = "generated"\n'


def fake_random(count: int) -> bytes:
    return bytes(range(count))


def powered_on(text: str, path: str = "/vms/a/a.vmx") -> Vmx:
    vmx = Vmx.parse(text)
    power_on_changes(vmx, path, fake_random)
    return vmx


def test_a_new_machine_gets_an_id_in_vmwares_form() -> None:
    vmx = powered_on("")
    assert vmx.get("uuid.bios") == "56 4d 00 01 02 03 04 05-06 07 08 09 0a 0b 0c 0d"
    assert re.fullmatch(r"56 4d( [0-9a-f]{2}){6}-[0-9a-f]{2}( [0-9a-f]{2}){7}", vmx.get("uuid.location") or "")


def test_an_id_that_was_given_stays() -> None:
    given = "56 4d aa aa aa aa aa aa-bb bb bb bb bb bb bb bb"
    vmx = powered_on(f'uuid.bios = "{given}"\nuuid.action = "create"\n')
    assert vmx.get("uuid.bios") == given


def test_addresses_are_generated_from_the_id_and_differ_between_cards() -> None:
    vmx = powered_on(TWO_CARDS)
    assert vmx.get("ethernet0.addressType") == "generated"
    assert vmx.get("ethernet0.generatedAddress") == "00:0c:29:0b:0c:0d"
    assert vmx.get("ethernet1.generatedAddress") == "00:0c:29:0b:0c:17"
    assert vmx.get("ethernet1.generatedAddressOffset") == "10"


def test_a_second_power_on_changes_nothing() -> None:
    once = powered_on('uuid.action = "create"\n' + TWO_CARDS)
    once.set("uuid.bios", "56 4d aa aa aa aa aa aa-bb bb bb bb bb bb bb bb")
    assert powered_on(once.text()).text() == once.text()


def test_a_static_address_is_left_alone() -> None:
    vmx = powered_on('ethernet0.present = "TRUE"\nethernet0.addressType = "static"\nethernet0.address = "x"\n')
    assert vmx.get("ethernet0.generatedAddress") is None


def test_a_copied_machine_that_may_become_another_gets_a_new_id_and_address() -> None:
    first = powered_on('uuid.action = "create"\n' + TWO_CARDS)
    first.set("uuid.bios", "56 4d aa aa aa aa aa aa-bb bb bb bb bb bb bb bb")
    first.set("ethernet0.generatedAddress", "00:0c:29:bb:bb:bb")
    copied = powered_on(first.text(), "/vms/b/b.vmx")
    assert copied.get("uuid.bios") == "56 4d 00 01 02 03 04 05-06 07 08 09 0a 0b 0c 0d"
    assert copied.get("ethernet0.generatedAddress") == "00:0c:29:0b:0c:0d"
    moved = powered_on(first.text().replace("create", "keep"), "/vms/b/b.vmx")
    assert moved.get("uuid.bios") == first.get("uuid.bios")
    assert moved.get("ethernet0.generatedAddress") == "00:0c:29:bb:bb:bb"


def test_the_serial_number_repeats_the_id() -> None:
    data = uuid_bytes("56 4D 0a 0b 0c 0d 0e 0f-01 02 03 04 05 06 07 08")
    assert data is not None
    assert serial_number(data) == "VMware-56 4d 0a 0b 0c 0d 0e 0f-01 02 03 04 05 06 07 08"


def test_what_is_no_id_is_none() -> None:
    assert uuid_bytes("56 4d") is None
    assert uuid_bytes("") is None
    assert uuid_bytes("zz " * 16) is None
