"""Inputs of the guest image, and the files of a built one."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from harness.core.json_text import parse_json

GUEST_PACKAGES = (
    "systemd-sysv", "udev", "dbus", "openssh-server", "cloud-init", "qemu-guest-agent", "netplan.io", "sudo",
    "ca-certificates", "kmod", "procps", "iproute2", "tzdata", "e2fsprogs", "libxml2", "xz-utils",
    "extlinux", "isolinux", "syslinux-common", "busybox-static",
)  # fmt: skip

# `mitigations` and the self-tests of the crypto drivers cost seconds on an emulated processor and protect nothing
# in a laboratory; `net.ifnames` stays on, so that names look like those of the reference lab (ens33, enp2s1). The clock
# stays under watch: on a busy host the kernel measures an emulated processor wrongly, and would be fast by hours.
KERNEL_ARGUMENTS = (
    "console=tty0 console=ttyS0,115200 quiet mitigations=off cryptomgr.notests audit=0 nowatchdog "
    "random.trust_cpu=on no_timer_check 8250.nr_uarts=2 cloud-init=enabled"
)


GENERIC_KERNELS = {"debian": "linux-image-amd64", "ubuntu": "linux-image-generic"}


@dataclass(frozen=True)
class ImageSpec:
    """Inputs of the guest image.

    `root_gib` is the size of the root file system; the lab's disks must be at least that large. It costs
    nothing on the host: blocks that hold no data are neither stored nor written.
    """

    distribution: str
    suite: str
    root_gib: int
    operations_packages: tuple[str, ...]

    @property
    def kernel(self) -> str:
        """The package with the distribution's generic kernel."""
        return GENERIC_KERNELS[self.distribution]


@dataclass(frozen=True)
class GuestImage:
    """A built image: one directory with the files named here.

    `digest` covers the bytes of all files: two images with the same digest are identical.
    """

    directory: Path
    key: str
    digest: str

    @property
    def kernel(self) -> Path:
        """The kernel, for the installer and for the installed system."""
        return self.directory / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Busybox, drivers and the installer, as a cpio archive with gzip."""
        return self.directory / "initrd.img"

    @property
    def disk_chunks(self) -> Path:
        """Every MiB of the disk that holds data, concatenated."""
        return self.directory / "disk.chunks"

    @property
    def disk_map(self) -> Path:
        """Lines `seek skip count` in MiB: positions of the chunks."""
        return self.directory / "disk.map"

    @property
    def disk_crc(self) -> Path:
        """CRC-32 of the chunks in their order, as a decimal number."""
        return self.directory / "disk.crc32"

    @property
    def disk_sectors(self) -> Path:
        """The smallest disk for the image, in sectors of 512 bytes."""
        return self.directory / "disk.sectors"

    @property
    def isolinux(self) -> tuple[Path, Path]:
        """The boot loader of the CD and its library module."""
        return self.directory / "isolinux.bin", self.directory / "ldlinux.c32"

    @property
    def packages(self) -> Path:
        """The offline repository: `.deb` files, `Packages` and `expected`."""
        return self.directory / "packages"

    @property
    def description(self) -> Path:
        """Inputs, versions, sizes and digests, as JSON; written last."""
        return self.directory / "image.json"

    def file_digests(self) -> dict[str, str]:
        """Return the SHA-256 that each file had when the image was built."""
        listed = parse_json(self.description.read_text(encoding="utf-8"))["files"]
        return {str(file["path"]): str(file["sha256"]) for file in listed}


def guest_file_text(name: str) -> str:
    """Return the text of a guest file, with `\\n` line ends."""
    text = resources.files("harness.image").joinpath("guest", name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
