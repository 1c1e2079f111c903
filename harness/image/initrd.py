"""Initial RAM disk: static busybox, drivers of disk and CD, installer.

The installer's CD and the installed system use the same archive. It has no udev and no distribution scripts,
which would cost ten seconds of every boot on an emulated processor.
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

from harness.core.errors import HostError
from harness.image import cpio
from harness.image.spec import guest_file_text
from harness.system.process import Completed, run
from harness.system.programs import find_program

# Groups are loaded by name in guest/init.sh.
MODULE_GROUPS = {
    "disk": ("sd_mod",),
    "cd": ("sr_mod", "isofs"),
    "ext4": ("crc32c_generic", "ext4"),
    "ahci": ("ahci",),
    "ide": ("ata_piix",),
    "nvme": ("nvme",),
    "mptspi": ("mptspi",),
    "pvscsi": ("vmw_pvscsi",),
    "virtio": ("virtio_pci", "virtio_blk", "virtio_scsi"),
}


def parse_dependencies(text: str) -> dict[str, tuple[str, ...]]:
    """Parse `modules.dep` (depmod(8)): module path -> needed paths, the last one first.

    The paths end in `.ko`, also where the distribution compresses its modules.
    """
    found = {}
    for line in text.splitlines():
        path, _, needs = line.partition(":")
        found[_plain(path)] = tuple(_plain(need) for need in needs.split())
    return found


def _plain(path: str) -> str:
    return path.removesuffix(".xz").removesuffix(".zst")


def module_bytes(kernel_modules: Path, path: str, run: Callable[..., Completed] = run) -> bytes:
    """Return a module uncompressed, because busybox loads no other.

    Raises:
        HostError: It is compressed with zstd, and the host lacks zstd or space.
    """
    plain = kernel_modules / path
    if plain.is_file():
        return plain.read_bytes()
    packed = plain.with_name(f"{plain.name}.xz")
    if packed.is_file():
        return lzma.decompress(packed.read_bytes())
    if find_program("zstd") is None:
        raise HostError("a driver is packed with zstd", where=path, remedy="install zstd: run `lab setup --with-deps`")
    done = run(("zstd", "-q", "-d", "-f", "-o", plain, plain.with_name(f"{plain.name}.zst")), timeout_s=60)
    if done.returncode != 0:
        raise HostError(
            "a driver cannot be unpacked", where=path, detail=done.output, remedy="check the free space of the cache"
        )
    data = plain.read_bytes()
    plain.unlink()
    return data


def load_order(name: str, dependencies: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the paths to load for a module, in order.

    () for a built-in driver.
    """
    for path, needs in dependencies.items():
        if Path(path).name == f"{name}.ko":
            return (*reversed(needs), path)
    return ()


def _built_in(kernel_modules: Path) -> set[str]:
    lines = (kernel_modules / "modules.builtin").read_text(encoding="utf-8").split()
    return {Path(line).name.removesuffix(".ko") for line in lines}


def _group(names: tuple[str, ...], kernel_modules: Path) -> list[str]:
    dependencies = parse_dependencies((kernel_modules / "modules.dep").read_text(encoding="utf-8"))
    order: list[str] = []
    for name in names:
        paths = load_order(name, dependencies)
        if not paths and name not in _built_in(kernel_modules):
            raise HostError(
                f"the guest's kernel has no driver {name}",
                where=str(kernel_modules),
                remedy="name another release in the lab file: seeds.suite",
            )
        order += [path for path in paths if path not in order]
    return order


def _directories(paths: list[str]) -> list[cpio.Entry]:
    parents = {str(parent) for path in paths for parent in Path(path).parents if str(parent) != "."}
    return [cpio.Entry(path, cpio.S_IFDIR | 0o755) for path in sorted(parents)]


def build_initrd(kernel_modules: Path, busybox: Path) -> bytes:
    """Return the archive, compressed with gzip.

    Uncompressed, mke2fs would write its zero blocks as holes, and SYSLINUX cannot load a file with holes.

    Args:
        kernel_modules: `/lib/modules/<version>` of the guest's tree, with its `modules.dep`.
        busybox: The static busybox of the guest's tree.

    Raises:
        HostError: The kernel lacks a driver.
    """
    files = [
        cpio.Entry("bin/busybox", cpio.S_IFREG | 0o755, busybox.read_bytes()),
        cpio.Entry("init", cpio.S_IFREG | 0o755, guest_file_text("init.sh").encode()),
        cpio.Entry("installer.sh", cpio.S_IFREG | 0o644, guest_file_text("installer.sh").encode()),
        cpio.Entry("disk-crc.py", cpio.S_IFREG | 0o644, guest_file_text("disk-crc.py").encode()),
        cpio.Entry("lab-event.sh", cpio.S_IFREG | 0o644, guest_file_text("lab-event.sh").encode()),
    ]
    modules: set[str] = set()
    for group, names in MODULE_GROUPS.items():
        order = _group(names, kernel_modules)
        modules.update(order)
        listing = "".join(f"{path}\n" for path in order)
        files.append(cpio.Entry(f"modules/{group}.list", cpio.S_IFREG | 0o644, listing.encode()))
    files += [
        cpio.Entry(f"modules/{path}", cpio.S_IFREG | 0o644, module_bytes(kernel_modules, path))
        for path in sorted(modules)
    ]
    empty = [cpio.Entry(name, cpio.S_IFDIR | 0o755) for name in ("cd", "proc", "root", "sys", "tmp")]
    nodes = [cpio.Entry("dev/console", cpio.S_IFCHR | 0o600, device=(5, 1))]
    archive = cpio.archive([*_directories([entry.path for entry in files + nodes]), *empty, *nodes, *files])
    return gzip.compress(archive, compresslevel=6, mtime=0)
