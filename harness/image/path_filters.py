"""Paths that the image omits: documentation, and drivers of physical hardware."""

from __future__ import annotations

_KERNEL = "/lib/modules/*/kernel"

# All directories of drivers are omitted except these.
_DRIVERS = """
    acpi/button* ata block cdrom dca firmware hid/hid* hv input/evdev* input/keyboard input/serio md message
    misc/vmw_* nvme pps ptp rtc
    char/hw_random char/virtio_console*
    net/bonding net/dummy* net/ethernet/intel/e1000 net/ethernet/intel/e1000e net/hyperv net/ifb* net/ipvlan
    net/macvlan* net/mdio* net/net_failover* net/phy/libphy* net/tap* net/tun* net/veth* net/virtio_net* net/vmxnet3
    net/vxlan net/wireguard
    scsi/ata* scsi/hv_* scsi/scsi_* scsi/s[dgr]* scsi/virtio_* scsi/vmw_*
    usb/common usb/core usb/host usb/storage vhost virtio watchdog
"""

# Omitted parts of the kernel. The lab needs no nested virtualisation and no cluster file systems.
_KERNEL_PARTS = """
    arch/x86/kvm sound
    net/6lowpan net/9p net/appletalk net/atm net/ax25 net/batman-adv net/bluetooth net/can net/ceph net/dccp net/dsa
    net/hsr net/ieee802154 net/iucv net/l2tp net/mac80211 net/mac802154 net/mctp net/mptcp net/netrom net/nfc
    net/openvswitch net/phonet net/qrtr net/rds net/rose net/rxrpc net/sctp net/smc net/sunrpc net/tipc net/wireless
    fs/9p fs/afs fs/btrfs fs/ceph fs/cifs fs/coda fs/dlm fs/erofs fs/f2fs fs/gfs2 fs/hfs fs/hfsplus fs/jfs fs/lockd
    fs/nfs fs/nfsd fs/nilfs2 fs/ntfs3 fs/ocfs2 fs/orangefs fs/reiserfs fs/smb fs/smbfs_common fs/ubifs fs/udf fs/ufs
    fs/xfs
"""

# An air-gapped guest has to trust the lab's own authority only: installing the 140 others that
# ship with ca-certificates takes a minute on an emulated processor.
_UNREAD = """
    /boot/System.map* /etc/kernel/postinst.d/initramfs-tools /lib/udev/hwdb.d/* /usr/lib/syslinux/modules/efi*
    /usr/lib/udev/hwdb.d/* /usr/share/bash-completion/* /usr/share/bug/* /usr/share/ca-certificates/mozilla/*
    /usr/share/doc/* /usr/share/i18n/* /usr/share/info/* /usr/share/lintian/* /usr/share/locale/* /usr/share/man/*
    /usr/share/syslinux/* /usr/share/zoneinfo/right/* /usr/share/zsh/*
"""


def path_filters() -> tuple[str, ...]:
    """Return dpkg options (dpkg(1), `path-exclude`); the last match decides."""
    excluded = _UNREAD.split() + [f"{_KERNEL}/{part}/*" for part in _KERNEL_PARTS.split()]
    drivers = [name if name.endswith("*") else f"{name}/*" for name in _DRIVERS.split()]
    return (
        *(f"path-exclude={pattern}" for pattern in excluded),
        f"path-exclude={_KERNEL}/drivers/*",
        *(f"path-include={_KERNEL}/drivers/{pattern}" for pattern in drivers),
        "path-include=/usr/share/doc/*/copyright",
        "path-include=/usr/share/locale/locale.alias",
    )
