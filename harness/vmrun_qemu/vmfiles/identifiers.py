"""SMBIOS UUID and MAC addresses, as VMware derives them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable

from harness.vmware.vmx import Vmx

_UUID = re.compile(r"^([0-9a-f]{2}[ -]?){16}$")


def uuid_bytes(text: str) -> bytes | None:
    """Parse a UUID (`56 4d … -… …`); return None if invalid."""
    plain = text.strip().lower()
    if not _UUID.match(plain):
        return None
    return bytes.fromhex(plain.replace(" ", "").replace("-", ""))


def vmware_form(data: bytes) -> str:
    """Format 16 bytes as VMware does.

    Blanks separate the bytes, a dash is in the middle.
    """
    return data[:8].hex(" ") + "-" + data[8:].hex(" ")


def serial_number(data: bytes) -> str:
    """Return the SMBIOS serial number that VMware derives from `uuid.bios`."""
    return "VMware-" + vmware_form(data)


def location_uuid(path: str) -> bytes:
    """Return the UUID of a path, which detects a moved VMX."""
    return b"\x56\x4d" + hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()[:14]


def power_on_changes(vmx: Vmx, path: str, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
    """Write what VMware writes to a VMX at power-on: UUIDs and addresses.

    A copied VM (`uuid.location` is that of another path) gets a new UUID and new addresses when `uuid.action` is
    `create`; by default, and with `keep`, it keeps its own.
    """
    here = vmware_form(location_uuid(path))
    there = vmx.get("uuid.location")
    copied = there is not None and there != here and (vmx.get("uuid.action") or "").lower() == "create"
    known = uuid_bytes(vmx.get("uuid.bios") or "")
    if known is None or copied:
        known = b"\x56\x4d" + random(14)
        vmx.set("uuid.bios", vmware_form(known))
    if there != here:
        vmx.set("uuid.location", here)
    names = [re.match(r"^ethernet(\d+)\.present$", key, re.IGNORECASE) for key, _ in vmx.items()]
    for match in filter(None, names):
        _generate_address(vmx, int(match[1]), known, fresh=copied)
    vmx.set("cleanShutdown", value=False)


def _generate_address(vmx: Vmx, index: int, uuid: bytes, *, fresh: bool) -> None:
    name = f"ethernet{index}"
    if not vmx.flag(f"{name}.present") or (vmx.get(f"{name}.addressType") or "generated").lower() == "static":
        return
    if vmx.get(f"{name}.generatedAddress") and not fresh:
        return
    offset = index * 10  # VMware's own step between the cards of one machine
    tail = (int.from_bytes(uuid[-3:], "big") + offset) & 0xFFFFFF
    vmx.set(f"{name}.addressType", "generated")
    vmx.set(f"{name}.generatedAddress", "00:0c:29:" + tail.to_bytes(3, "big").hex(":"))
    vmx.set(f"{name}.generatedAddressOffset", str(offset))
