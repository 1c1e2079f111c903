"""The guest's file tree, made of distribution packages by mmdebstrap."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError
from harness.process import run
from harness.setup import aptsources
from harness.setup.guest_files import overlay_tar
from harness.setup.spec import ImageSpec

# dpkg's path filters (dpkg(1)): the last one that matches decides.
_DRIVERS = (
    "ata", "scsi", "message", "nvme", "virtio", "block", "cdrom", "md", "hv", "firmware", "net/ethernet/intel/e1000",
    "net/ethernet/intel/e1000e", "net/vmxnet3", "net/bonding", "net/hyperv", "net/vxlan", "net/wireguard", "net/ipvlan",
    "net/macvlan*", "net/veth*", "net/dummy*",
    "net/tun*", "net/tap*", "net/virtio_net*", "net/net_failover*", "net/ifb*",
    "net/mdio*", "net/phy/libphy*", "char/hw_random", "char/virtio_console*", "misc/vmw_*", "rtc",
    "input/keyboard",
    "input/serio", "hid/hid*", "usb/core", "usb/host", "usb/common", "usb/storage", "ptp", "pps", "vhost",
    "dca", "watchdog",
)  # fmt: skip
_KERNEL_TREES = ("sound", "net/bluetooth", "net/wireless", "net/mac80211", "net/batman-adv", "net/can", "net/nfc")
_FILE_SYSTEMS = (
    "ocfs2", "gfs2", "reiserfs", "btrfs", "xfs", "jfs", "f2fs", "nilfs2", "ceph", "cifs", "smb", "afs", "orangefs",
    "ubifs", "ntfs3", "nfsd", "nfs", "lockd", "dlm", "coda", "hfs", "hfsplus", "udf", "ufs", "9p", "erofs",
    "smbfs_common",
)  # fmt: skip
_UNREAD = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/i18n/*",
    "/usr/share/lintian/*", "/usr/share/bug/*", "/usr/share/zsh/*", "/usr/share/bash-completion/*",
    "/usr/lib/udev/hwdb.d/*", "/lib/udev/hwdb.d/*", "/etc/kernel/postinst.d/initramfs-tools",
    "/usr/share/syslinux/*", "/usr/lib/syslinux/modules/efi*", "/boot/System.map*",
)  # fmt: skip


def path_filters() -> tuple[str, ...]:
    """Return dpkg options that keep documentation and drivers of hardware no virtual machine has out of the image."""
    excluded = [*_UNREAD]
    excluded += [f"/lib/modules/*/kernel/{tree}/*" for tree in _KERNEL_TREES]
    excluded += [f"/lib/modules/*/kernel/fs/{name}/*" for name in _FILE_SYSTEMS]
    filters = [f"path-exclude={pattern}" for pattern in [*excluded, "/lib/modules/*/kernel/drivers/*"]]
    wanted = [name if "*" in name else f"{name}/*" for name in _DRIVERS]
    filters += [f"path-include=/lib/modules/*/kernel/drivers/{name}" for name in wanted]
    filters += ["path-include=/usr/share/doc/*/copyright", "path-include=/usr/share/locale/locale.alias"]
    return tuple(filters)


@dataclass(frozen=True)
class Workplace:
    """The files of one build; all of them are below `directory`, which is deleted afterwards."""

    directory: Path

    @property
    def tree_tar(self) -> Path:
        """The guest's tree as mmdebstrap leaves it."""
        return self.directory / "tree.tar"

    @property
    def overlay(self) -> Path:
        """The files that the image adds."""
        return self.directory / "overlay.tar"

    @property
    def sources(self) -> Path:
        """The sources.list of the build."""
        return self.directory / "sources.list"

    @property
    def debs(self) -> Path:
        """The downloaded packages of the offline repository."""
        return self.directory / "debs"


def _hooks(spec: ImageSpec, place: Workplace) -> tuple[str, ...]:
    names = " ".join(shlex.quote(name) for name in spec.operations_packages)
    download = (
        'mkdir -p "$1/lab-packages/partial" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -q -y '
        '-o Dir::Cache::Archives="$1/lab-packages" -o APT::Sandbox::User=root '
        f"--no-install-recommends --download-only --reinstall install {names}"
    )
    return (
        download,
        'rm -rf "$1/lab-packages/partial" "$1/lab-packages/lock"',
        f"sync-out /lab-packages {shlex.quote(place.debs.as_posix())}",
        'rm -rf "$1/lab-packages" "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*',
        f"tar-in {shlex.quote(place.overlay.as_posix())} /",
    )


def mmdebstrap_argv(
    spec: ImageSpec, place: Workplace, keyrings: tuple[Path, ...], proxies: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the command that builds the tree; it runs as root or in a user namespace, as mmdebstrap finds fit."""
    include = ",".join((*spec.packages, spec.kernel_package))
    options = [f"--dpkgopt={option}" for option in path_filters()]
    options += [f"--keyring={path}" for path in keyrings]
    options += [f"--aptopt={option}" for option in ('Acquire::Languages "none"', *proxies)]
    options += [f"--customize-hook={hook}" for hook in _hooks(spec, place)]
    return (
        "mmdebstrap", "--variant=minbase", "--architectures=amd64", "--format=tar", f"--include={include}",
        *options, spec.suite, place.tree_tar.as_posix(), place.sources.as_posix(),
    )  # fmt: skip


def bootstrap(spec: ImageSpec, place: Workplace, say: Callable[[str], None]) -> None:
    """Leave the guest's tree in `place.tree_tar` and the offline packages in `place.debs`.

    Raises:
        HostError: The host's sources lack the suite, or mmdebstrap failed; its log is the evidence.
    """
    place.sources.write_text(aptsources.host_sources(spec.distribution, spec.suite), encoding="utf-8")
    place.overlay.write_bytes(overlay_tar())
    place.debs.mkdir()
    argv = mmdebstrap_argv(spec, place, aptsources.keyrings(), aptsources.proxy_options())
    say(f"building the guest of {spec.distribution} {spec.suite} packages (mmdebstrap, about two minutes)")
    done = run(argv, timeout_s=1800, env={"LC_ALL": "C.UTF-8"})
    if done.returncode != 0:
        raise HostError(
            f"mmdebstrap could not build the guest (exit {done.returncode})",
            where=spec.suite,
            said="\n".join(done.output.strip().splitlines()[-15:]),
            remedy="check that the host's package sources answer (`apt-get update`) and that there are 3 GB free; "
            "without root, that user namespaces are allowed and /etc/subuid has a line for this user",
        )
    say(f"guest tree built in {done.duration_s:.0f} s")
