"""A guest that shows whether it was restarted, resumed or reverted.

It is a boot sector, assembled from `counting.S`:

    as --32 counting.S -o c.o && ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o c.bin c.o
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from qemu_lab import Vmrun, eventually

from harness.vmware.vmx import Vmx

_CODE = bytes.fromhex(
    "fa31c08ed88ec08ed0bc007c881600700f31a30270c70604700000b80102e83300ff060080b80103e82900fbf4faff060470"
    "b0428b1e0080e82800b04e8b1e0270e81f00b0548b1e0470e81600b00ae82d00ebd7bb0080b90200b6008a160070cd13c3e8"
    "1900b90400c1c30488d8240f3c0a720204270430e80400e2ecb020baf803eec3"
)
SECTOR = _CODE + bytes(510 - len(_CODE)) + b"\x55\xaa"
_LINE = re.compile(r"^B([0-9a-f]{4}) N([0-9a-f]{4}) T([0-9a-f]{4})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Count:
    """A line of the guest: boots of its disk, boot nonce, timer ticks."""

    boots: int
    nonce: str
    ticks: int


def counting_machine(vmrun: Vmrun, name: str, extra: str = "", subformat: str = "twoGbMaxExtentSparse") -> Path:
    """Return the VMX of a machine with that guest, without a network."""
    vmx = vmrun.machine(name, f'ethernet0.present = "FALSE"\nmemsize = "32"\n{extra}')
    disk, raw = vmx.with_suffix(".vmdk"), vmx.with_suffix(".raw")
    disk.unlink()
    raw.write_bytes(SECTOR + bytes(1 << 20))
    convert = ["qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", f"subformat={subformat}"]
    subprocess.run([*convert, str(raw), str(disk)], check=True, timeout=30)
    raw.unlink()
    return vmx


def counts(vmx: Path) -> list[Count]:
    """Return all lines of the guest, in order."""
    log = vmx.with_name(Vmx.read(vmx).get("serial0.fileName") or "")
    text = log.read_text(encoding="ascii", errors="replace") if log.exists() else ""
    return [Count(int(boots, 16), nonce, int(ticks, 16)) for boots, nonce, ticks in _LINE.findall(text)]


def next_count(vmx: Path) -> Count:
    """Wait for the next line of the guest, and return it."""
    before = len(counts(vmx))
    assert eventually(lambda: len(counts(vmx)) > before), "the guest says nothing"
    return counts(vmx)[before]


def stands_still(vmx: Path) -> bool:
    """Return whether the guest is silent for half a second, ten ticks."""
    before = len(counts(vmx))
    return not eventually(lambda: len(counts(vmx)) > before, 0.5)
