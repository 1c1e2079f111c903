"""A real guest for `vmrun-qemu`: the cached image on a disk of its own, booted once per session, with test accounts.

It starts from a small CD that boots the image's own kernel to `basic.target`: no installer, no cloud-init, no service
but the guest's agent. `conftest.py` gives the fixture `real_guest` to the test modules.
"""

from __future__ import annotations

import base64
import json
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from qemu_lab import Vmrun, eventually

from harness.core.layout import cache_directory
from harness.image.disk import MIB, SECTOR
from harness.image.spec import GuestImage
from harness.seed.iso_tree import DISK_CHUNKS, DISK_START, Content
from harness.seed.iso_writer import write_iso
from harness.vmrun_qemu.base.records import Record
from harness.vmrun_qemu.client.guest import Guest

BOOT_S = 240
USER = "tester"
# Blanks, a quote, a dollar sign and a letter beyond ASCII: a password is one word, whatever it is made of.
PASSWORD = "it's $HOME, größer"
NETWORK = "vmnet8"  # NAT: UDP too is forwarded into it
ADDRESS = "192.168.80.50"
VMX = """\
.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "19"
guestOS = "other-64"
displayName = "guest"
memsize = "384"
bios.bootOrder = "cdrom,hdd"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.fileName = "guest.img"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "boot.iso"
ethernet0.present = "TRUE"
ethernet0.connectionType = "nat"
serial0.present = "TRUE"
serial0.fileType = "file"
serial0.fileName = "serial0.log"
floppy0.present = "FALSE"
guestinfo.colour = "green"
"""
BOOT = """\
DEFAULT guest
PROMPT 0
TIMEOUT 0
LABEL guest
  KERNEL /boot/vmlinuz
  INITRD /boot/initrd.img
  APPEND root=UUID={root} rw console=tty0 console=ttyS0 quiet mitigations=off systemd.unit=basic.target
"""
# One round of hashing: a login costs an emulated processor a second otherwise.
ACCOUNTS = f"""
set -e
useradd -m -s /bin/sh {USER}
useradd -m other
useradd -m nopassword; passwd -d nopassword
useradd -m expired; usermod -e 1 expired
chpasswd -c SHA256 -s 1000
card=$(ls /sys/class/net | grep -v lo)
ip addr add {ADDRESS}/24 dev "$card"
ip link set "$card" up
"""


@dataclass
class RealGuest:
    """A running machine with an operating system and the guest agent."""

    vmrun: Vmrun
    vmx: Path

    def __call__(self, verb: str, *words: str | Path) -> tuple[int, str]:
        """Return status and output of a guest verb, as the test account."""
        return self.as_user(USER, PASSWORD, verb, *words)

    def as_user(self, user: str, password: str, verb: str, *words: str | Path) -> tuple[int, str]:
        return self.vmrun("-T", "ws", "-gu", user, "-gp", password, verb, self.vmx, *words)

    def ok(self, verb: str, *words: str | Path) -> str:
        code, reply = self(verb, *words)
        assert code == 0, reply
        return reply

    def root(self, script: str, given: str = "") -> str:
        """Return the output of a script that the guest's agent itself ran."""
        with Guest(cast("Record", self.vmrun.record(self.vmx))) as guest:
            question = {"path": "/bin/sh", "arg": ["-c", script], "capture-output": True}
            question["input-data"] = base64.b64encode(given.encode()).decode()
            pid = guest.ask("guest-exec", question, limit_s=60)["pid"]
            while not (status := guest.ask("guest-exec-status", {"pid": pid}, limit_s=60))["exited"]:
                time.sleep(0.02)
        reply = base64.b64decode(status.get("out-data", "") + status.get("err-data", "")).decode()
        assert status["exitcode"] == 0, reply
        return reply


def newest_image(cache: Path) -> GuestImage | None:
    found = sorted(cache.glob("image-*/image.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        return None
    directory = found[-1].parent
    return GuestImage(directory, directory.name.removeprefix("image-"), json.loads(found[-1].read_text())["digest"])


def write_disk(image: GuestImage, target: Path) -> None:
    """Write the disk as the installer does."""
    with image.disk_chunks.open("rb") as source, target.open("wb") as disk:
        disk.truncate(int(image.disk_sectors.read_text()) * SECTOR)
        for line in image.disk_map.read_text().splitlines():
            seek, skip, count = map(int, line.split())
            source.seek(skip * MIB)
            disk.seek(seek * MIB)
            for _ in range(count):
                disk.write(source.read(MIB))


def write_boot_cd(image: GuestImage, target: Path) -> None:
    boot, library = image.isolinux
    root = uuid.uuid5(uuid.NAMESPACE_URL, f"lab-root:{image.key}")
    tree = {
        "isolinux/isolinux.bin": Content(boot.read_bytes()),
        "isolinux/ldlinux.c32": Content(source=library),
        "isolinux/isolinux.cfg": Content(BOOT.format(root=root).encode()),
        "boot/vmlinuz": Content(source=image.kernel),
        "boot/initrd.img": Content(source=image.initrd),
        DISK_START: Content(b" " * 12 + b"\n"),
        DISK_CHUNKS: Content(b"none here"),
    }
    write_iso(target, tree, volume_id="GUEST", timestamp=0)


@pytest.fixture(scope="session")
def real_guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGuest]:
    image = newest_image(cache_directory())
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("qemu-system-x86_64 is not installed")
    if image is None:
        pytest.skip(f"no guest image in {cache_directory()}: `lab setup` builds it; without it no real guest is tried")
    place = tmp_path_factory.mktemp("guest")
    vmrun = Vmrun(place / "home", place / "vms")
    folder = vmrun.vms / "guest"
    folder.mkdir(parents=True)
    write_disk(image, folder / "guest.img")
    write_boot_cd(image, folder / "boot.iso")
    vmx = folder / "guest.vmx"
    vmx.write_text(VMX, encoding="utf-8")
    guest = RealGuest(vmrun, vmx)
    try:
        vmrun.ok("start", vmx, "nogui")
        booted = eventually(lambda: vmrun("checkToolsState", vmx) == (0, "running\n"), BOOT_S)
        assert booted, (folder / "serial0.log").read_text(errors="replace")[-2000:]
        guest.root(ACCOUNTS, f"{USER}:{PASSWORD}\nother:other\nexpired:expired\n")
        yield guest
        vmrun("stop", vmx, "hard")
    finally:
        vmrun.end_all()
    (folder / "guest.img").unlink()
