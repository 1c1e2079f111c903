"""What a clone is made of: a configuration with an identity of its own, and disks, copied or built on a snapshot's."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from harness.vmrun_qemu import devices, identity, images, overlays
from harness.vmrun_qemu.imagetool import DiskError
from harness.vmrun_qemu.site import Site, snapshots_locked
from harness.vmrun_qemu.texts import Failure
from harness.vmrun_qemu.vmsd import Snapshot
from harness.vmx import Vmx, VmxError

# The newest hardware that Workstation 17.5 and later make.
NEWEST_HARDWARE = 21
_FROM = "cloneOf0"


@dataclass(frozen=True)
class Order:
    """What is to be cloned: a configuration with (device id, file) of its disks, to `target`, under that name."""

    vmx: Vmx
    disks: tuple[tuple[str, Path], ...]
    target: Path
    name: str


def make(order: Order, source: Path, *, linked: bool) -> None:
    """Have the clone's files; its VMX comes last.

    Raises:
        Failure: A disk cannot be copied or built upon; nothing of the clone is left.
    """
    folder = order.target.parent
    new_folder = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    try:
        vmx = _configuration(order, source.parent)
        for number, (node, disk) in enumerate(order.disks):
            copy = order.target.with_name(f"{order.target.stem}{f'-{number}' if number else ''}.vmdk")
            made.append(copy)
            _disk(disk, copy, linked=linked)
            vmx.set(f"{node}.fileName", copy.name)
        made += _nvram(vmx, source.parent, order.target)
        if linked:
            made.append(order.target.with_suffix(".vmsd"))
            _origin(source).write(made[-1])
        vmx.write(order.target)
    except BaseException as error:
        for file in made:
            images.remove(file)
        if new_folder:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, DiskError):
            raise Failure(error.plain) from error
        raise


def register(site: Site, snapshot: Snapshot, clone: Path) -> None:
    """Have the snapshot know that a clone reads its disks; clones that are gone are forgotten."""
    clones = [other for other in site.clones_of(snapshot) if other != str(clone)]
    site.save_tree(site.tree.with_changed(replace(snapshot, clones=(*clones, str(clone)))))


def unregister(clone: Path) -> None:
    """Have the clone's parent, if it is still there, forget it."""
    try:
        origin = Vmx.read(clone.with_suffix(".vmsd")).get(_FROM) or ""
    except (VmxError, OSError):
        return
    parent = Path(origin)
    if not origin or not parent.with_suffix(".vmsd").is_file():
        return
    with snapshots_locked(parent):
        site = Site(parent, Vmx.parse(""))
        for snapshot in site.tree.snapshots:
            if str(clone) in snapshot.clones:
                left = tuple(other for other in snapshot.clones if other != str(clone))
                site.save_tree(site.tree.with_changed(replace(snapshot, clones=left)))


def _disk(disk: Path, copy: Path, *, linked: bool) -> None:
    if linked:
        images.require_place(copy, "")
        overlays.make_overlay(disk, copy)
    else:
        overlays.copy_chain(disk, copy)


def _origin(source: Path) -> Vmx:
    """Return the `.vmsd` of a new linked clone, in VMware's keys."""
    vmsd = Vmx.parse('.encoding = "UTF-8"\n')
    vmsd.update([(_FROM, str(source)), ("numCloneOf", 1)])
    return vmsd


def _configuration(order: Order, folder: Path) -> Vmx:
    """Return the clone's VMX: its own id, addresses and files; it reads the CD images of its source."""
    vmx = order.vmx.copy()
    vmx.set("displayName", order.name)
    vmx.set("uuid.bios", identity.vmware_form(b"\x56\x4d" + secrets.token_bytes(14)))
    vmx.remove("uuid.location")
    vmx.set("checkpoint.vmState", "")
    for key, value in vmx.items():
        name, _, last = key.lower().rpartition(".")
        if last in ("generatedaddress", "generatedaddressoffset"):
            vmx.remove(key)
        elif last == "filename" and name.startswith("serial"):
            vmx.set(key, Path(value.replace("\\", "/")).name)
        elif last == "filename" and (vmx.get(f"{name}.deviceType") or "").lower() == "cdrom-image":
            vmx.set(key, str(devices.resolve(folder, value)))
    return vmx


def _nvram(vmx: Vmx, folder: Path, target: Path) -> list[Path]:
    """Have the clone's own copies of what goes with its VMX; return them."""
    made = []
    for key, suffix in (("nvram", ".nvram"), ("extendedConfigFile", ".vmxf")):
        source = folder / (vmx.get(key) or "")
        if source.is_file():
            copy = target.with_suffix(suffix)
            made.append(Path(shutil.copyfile(source, copy)))
            vmx.set(key, copy.name)
    return made
