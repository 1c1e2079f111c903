"""Build the guest image once; cache it by its inputs' hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from harness.core.errors import HostError
from harness.core.json_text import parse_json
from harness.core.temporary_files import temporary_directory
from harness.image import disk
from harness.image.bootstrap import BuildDirectory, bootstrap, mmdebstrap_argv
from harness.image.guest_files import overlay_tar
from harness.image.initrd import MODULE_GROUPS, build_initrd
from harness.image.package_repository import write_index
from harness.image.spec import KERNEL_ARGUMENTS, GuestImage, ImageSpec, guest_file_text
from harness.system.process import run
from harness.system.trust import require_trusted

__all__ = ["GuestImage", "ImageSpec", "build_image", "image_key", "load_image"]

_BOOT_LOADER = f"""\
DEFAULT linux
PROMPT 0
TIMEOUT 0
LABEL linux
  LINUX /boot/{{kernel}}
  INITRD /boot/initrd.img-lab
  APPEND root=UUID={{identity}} rw {KERNEL_ARGUMENTS}
"""


# Increase it when the build changes and no input of `image_key` shows the change.
_RECIPE = 1
CreateFiles = Callable[[ImageSpec, str, BuildDirectory, Path, Callable[[str], None]], None]


def image_inputs(spec: ImageSpec) -> dict[str, object]:
    """Return everything that determines the bytes of the image."""
    return {
        "recipe": _RECIPE,
        "spec": asdict(spec),
        "tree": mmdebstrap_argv(spec, BuildDirectory(Path("build")), ()),
        "files": hashlib.sha256(overlay_tar()).hexdigest(),
        "initrd": [guest_file_text(name) for name in ("init.sh", "installer.sh", "disk-crc.py", "lab-event.sh")],
        "modules": MODULE_GROUPS,
        "boot loader": _BOOT_LOADER,
        "file system": disk.FILE_SYSTEM,
    }


def image_key(spec: ImageSpec) -> str:
    """Return 16 hex digits that change with every input of the image."""
    return hashlib.sha256(json.dumps(image_inputs(spec), sort_keys=True).encode()).hexdigest()[:16]


def _directory(key: str, cache_dir: Path) -> Path:
    return cache_dir / f"image-{key}"


def _require_trusted(directory: Path, cache_dir: Path) -> None:
    """Check that no other user may change the image.

    Its programs run in the guests, as root.

    Raises:
        HostError: Another user owns a file of it, or may write it.
    """
    for path in [directory, *directory.rglob("*")] if directory.exists() else ():
        require_trusted(path, cache_dir)


def load_image(spec: ImageSpec, cache_dir: Path) -> GuestImage:
    """Return the cached image of these inputs.

    Raises:
        HostError: It is not built yet, or another user could have changed it.
    """
    key = image_key(spec)
    directory = _directory(key, cache_dir)
    _require_trusted(directory, cache_dir)
    try:
        description = parse_json((directory / "image.json").read_text(encoding="utf-8"))
        return GuestImage(directory, key, str(description["digest"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"the guest image of {spec.distribution} {spec.suite} is not built",
            where=str(directory),
            remedy="run `lab setup`",
        ) from error


def require_undamaged(image: GuestImage) -> None:
    """Compare every file of the image with its digest.

    Raises:
        HostError: A file is missing or damaged.
    """
    wrong = []
    for name, digest in image.file_digests().items():
        try:
            good = _sha256(image.directory / name) == digest
        except OSError:
            good = False
        wrong += [] if good else [name]
    if wrong:
        raise HostError(
            f"the guest image is damaged: {', '.join(wrong[:3])}",
            where=str(image.directory),
            remedy="delete this directory, then run `lab setup`",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _create_files(spec: ImageSpec, key: str, build: BuildDirectory, result: Path, say: Callable[[str], None]) -> None:
    """Build the guest's tree and the image's files in `result`."""
    bootstrap(spec, build, say)
    _assemble(spec, key, build, result)


def build_image(
    spec: ImageSpec,
    cache_dir: Path,
    say: Callable[[str], None],
    *,
    create_files: CreateFiles = _create_files,
    other_build_s: float = 3600.0,
) -> GuestImage:
    """Return the cached image of these inputs, or build it.

    The image gets its final name when it is complete. A second build of the same image waits for the first.

    Args:
        create_files: Creates the files of the image in a directory; a test creates others.
        other_build_s: How long to wait for another build of the same image.

    Raises:
        HostError: A program is missing or failed, or the host's package sources do not serve the suite.
    """
    key = image_key(spec)
    cache_dir.mkdir(parents=True, exist_ok=True)
    _require_trusted(_directory(key, cache_dir), cache_dir)
    with _build_lock(cache_dir / f"image-{key}.lock", say, other_build_s):
        try:
            image = load_image(spec, cache_dir)
        except HostError:
            return _build(spec, cache_dir, say, create_files)
        say(f"the guest image is up to date: {image.directory}")
        return image


@contextlib.contextmanager
def _build_lock(path: Path, say: Callable[[str], None], timeout_s: float) -> Iterator[None]:
    """Hold the lock of the build and report a wait.

    A crashed build holds no lock.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"waiting for another build of the guest image ({path})")
        try:
            lock.acquire(timeout=timeout_s)
        except Timeout as error:
            text = f"another build of the guest image did not end within {timeout_s:.0f} s"
            raise HostError(text, where=str(path), remedy="stop that build, then run this command again") from error
    try:
        yield
    finally:
        lock.release()


def _build(spec: ImageSpec, cache_dir: Path, say: Callable[[str], None], create_files: CreateFiles) -> GuestImage:
    key = image_key(spec)
    with temporary_directory(cache_dir, f"build-{key}-") as temporary:
        build = BuildDirectory(temporary)
        result = build.directory / "image"
        result.mkdir()
        create_files(spec, key, build, result, say)
        digest = _describe(spec, key, result)
        final = _directory(key, cache_dir)
        shutil.rmtree(final, ignore_errors=True)
        result.rename(final)
    say(f"guest image {key}: {sum(f.stat().st_size for f in final.rglob('*')) >> 20} MiB in {final}")
    return GuestImage(final, key, digest)


def _assemble(spec: ImageSpec, key: str, build: BuildDirectory, result: Path) -> None:
    """Create every file of the image in `result`, except the description."""
    image = GuestImage(result, key, "")
    tree = build.directory / "tree"
    wrapper = _extract(build.tree_tar, tree)
    kernel = _single_match(tree / "boot", "vmlinuz-*")
    modules = _single_match(tree / "lib/modules", "*")
    image.initrd.write_bytes(build_initrd(modules, tree / "bin/busybox"))
    shutil.copyfile(kernel, image.kernel)
    for target, source in zip(
        image.isolinux, ("usr/lib/ISOLINUX/isolinux.bin", "usr/lib/syslinux/modules/bios/ldlinux.c32"), strict=True
    ):
        shutil.copyfile(tree / source, target)
    root_uuid = uuid.uuid5(uuid.NAMESPACE_URL, f"lab-root:{key}")
    _install_boot_files(image, tree, kernel.name, root_uuid)
    raw = build.directory / "disk.raw"
    disk.make_disk(tree, raw, root_gib=spec.root_gib, file_system_uuid=root_uuid, wrapper=wrapper)
    extents, crc = disk.write_chunks(raw, image.disk_chunks)
    lines = "".join(f"{extent.seek} {extent.skip} {extent.count}\n" for extent in extents)
    image.disk_map.write_text(lines, encoding="utf-8", newline="\n")
    image.disk_crc.write_text(f"{crc}\n", encoding="utf-8", newline="\n")
    image.disk_sectors.write_text(f"{raw.stat().st_size // disk.SECTOR}\n", encoding="utf-8", newline="\n")
    shutil.copytree(build.debs, image.packages)
    write_index(image.packages, spec.operations_packages)


def _extract(tar: Path, tree: Path) -> tuple[str, ...]:
    """Unpack the tree; return the fakeroot prefix that shows its owners."""
    tree.mkdir()
    unpack = ("tar", "-x", "-f", str(tar), "-C", str(tree), "--numeric-owner", "--exclude=./dev/*")
    state = tar.with_name("fakeroot.state")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    done = run(unpack if as_root else ("fakeroot", "-s", str(state), "--", *unpack), timeout_s=600)
    if done.returncode != 0:
        raise HostError("the guest's tree cannot be unpacked", detail=done.output, remedy="check the free disk space")
    return () if as_root else ("fakeroot", "-i", str(state), "--")


def _install_boot_files(image: GuestImage, tree: Path, kernel: str, root_uuid: uuid.UUID) -> None:
    for stale in (tree / "boot").glob("initrd.img*"):
        stale.unlink()
    shutil.copyfile(image.initrd, tree / "boot/initrd.img-lab")
    (tree / "boot/extlinux").mkdir()
    text = _BOOT_LOADER.format(kernel=kernel, identity=root_uuid)
    (tree / "boot/extlinux/extlinux.conf").write_text(text, encoding="utf-8")


def _single_match(directory: Path, pattern: str) -> Path:
    found = sorted(directory.glob(pattern))
    if len(found) != 1:
        raise HostError(
            f"the guest's tree has {len(found)} files {pattern}, expected one",
            where=str(directory),
            remedy="name another release in the lab file: seeds.suite",
        )
    return found[0]


def _describe(spec: ImageSpec, key: str, result: Path) -> str:
    """Write image.json and return the digest of all files."""
    files = []
    for path in sorted(path for path in result.rglob("*") if path.is_file()):
        name, size = path.relative_to(result).as_posix(), path.stat().st_size
        files.append({"path": name, "size": size, "sha256": _sha256(path)})
    whole = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    description = {"key": key, "digest": whole, "spec": asdict(spec), "files": files}
    (result / "image.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    return whole
