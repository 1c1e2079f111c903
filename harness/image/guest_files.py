"""Files that the guest image adds to its distribution's packages."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from harness.image.spec import guest_file_text

# Units that a lab guest does not need and that cost seconds of its boot on an emulated processor.
MASKED_UNITS = (
    "apt-daily-upgrade.service", "apt-daily-upgrade.timer", "apt-daily.service", "apt-daily.timer",
    "cloud-init-hotplugd.socket", "cryptsetup.target", "dev-hugepages.mount", "dev-mqueue.mount",
    "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "getty-static.service",
    "hwclock.service", "integritysetup.target", "modprobe@configfs.service", "modprobe@drm.service",
    "modprobe@fuse.service", "proc-sys-fs-binfmt_misc.automount", "remote-fs.target",
    "sys-fs-fuse-connections.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
    "systemd-ask-password-console.path", "systemd-ask-password-wall.path", "systemd-binfmt.service",
    "systemd-firstboot.service", "systemd-journal-flush.service", "systemd-pcrphase-sysinit.service",
    "systemd-pcrphase.service", "systemd-pstore.service", "systemd-random-seed.service", "systemd-repart.service",
    "systemd-sysusers.service", "systemd-tmpfiles-clean.timer", "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service", "veritysetup.target",
)  # fmt: skip

# cloud-init's own generator decides whether cloud-init runs; here the kernel's command line decides.
MASKED_GENERATORS = (
    "cloud-init-generator", "systemd-debug-generator",
    "systemd-cryptsetup-generator", "systemd-gpt-auto-generator", "systemd-hibernate-resume-generator",
    "systemd-integritysetup-generator", "systemd-rc-local-generator", "systemd-system-update-generator",
    "systemd-sysv-generator", "systemd-veritysetup-generator",
)  # fmt: skip

# Drivers that udev would load for the processor or the chip set although nothing uses them.
UNUSED_MODULES = (
    "aesni_intel", "ata_generic", "crc32_pclmul", "crc32c_intel", "crct10dif_pclmul", "floppy", "ghash_clmulni_intel",
    "i2c_piix4", "joydev", "pcspkr", "psmouse", "qemu_fw_cfg", "serio_raw", "sg", "sha1_ssse3", "sha256_ssse3",
    "sha512_ssse3",
)  # fmt: skip

ENABLED_UNITS = (
    "multi-user.target.wants/cloud-init.target",
    "multi-user.target.wants/systemd-networkd.service",
    "network-online.target.wants/systemd-networkd-wait-online.service",
    "sockets.target.wants/systemd-networkd.socket",
)

# Only the cloud-init modules that the seed uses: each module costs an import and a log.
CLOUD_CONFIG = """\
datasource_list: [NoCloud]
cloud_init_modules: [bootcmd, write-files, set_hostname, ca-certs, users-groups, ssh]
cloud_config_modules: [timezone, runcmd]
cloud_final_modules: [scripts-user, final-message]
datasource: {NoCloud: {fs_label: null}}
disable_ec2_metadata: true
ssh_deletekeys: false
system_info:
  network:
    renderers: [netplan]
"""

_EVENT_BOOT = """\
[Unit]
Description=Report the start of this boot on the serial port
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/usr/local/sbin/lab-event boot

[Install]
WantedBy=sysinit.target
"""

# No default dependencies: with them a unit that the target wants could not start after the target.
_BOOT_COMPLETE = """\
[Unit]
Description=Report the end of this boot on the serial port
DefaultDependencies=no
After=multi-user.target cloud-final.service k8s-ops-packages.service ssh.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/usr/local/sbin/lab-boot-complete

[Install]
WantedBy=multi-user.target
"""

# At each boot udev handles every device once. Consoles, memory blocks, processors and the like do not need it,
# and it took a third of the boot of an emulated machine; the serial console is the exception.
_UDEV_TRIGGER = """\
[Service]
ExecStart=
ExecStart=-udevadm trigger --type=subsystems --action=add
ExecStart=-udevadm trigger --type=devices --action=add --subsystem-match=net --subsystem-match=block \\
    --subsystem-match=pci --subsystem-match=scsi --subsystem-match=virtio --subsystem-match=virtio-ports \\
    --subsystem-match=input --subsystem-match=rtc --subsystem-match=usb --subsystem-match=vmbus
ExecStart=-udevadm trigger --type=devices --action=add --sysname-match=ttyS0 --sysname-match=tty1
"""

_PACKAGES = """\
[Unit]
Description=Install the operations packages from the offline payload
DefaultDependencies=no
After=systemd-remount-fs.service systemd-tmpfiles-setup.service
Conflicts=shutdown.target
Before=shutdown.target
ConditionPathExists=/etc/lab-seed.conf

[Service]
Type=oneshot
RemainAfterExit=yes
# Maintainer scripts that see no running systemd enable their units without five reloads of all of systemd; what they
# enable starts with the next boot.
TemporaryFileSystem=/run/systemd
ExecStart=/usr/local/sbin/k8s-ops-packages
StandardOutput=append:/var/log/k8s-ops-packages.log
StandardError=inherit

[Install]
WantedBy=multi-user.target
"""


def _stage_event(stage: str) -> str:
    return f"[Service]\nExecStartPost=-/usr/local/sbin/lab-event cloud-init stage={stage}\n"


@dataclass(frozen=True)
class GuestFile:
    """A file, or a symbolic link if `link` is set."""

    text: str = ""
    mode: int = 0o644
    link: str = ""


def _units() -> dict[str, GuestFile]:
    system = "etc/systemd/system"
    own = {
        "lab-event-boot.service": (_EVENT_BOOT, "sysinit.target"),
        "lab-boot-complete.service": (_BOOT_COMPLETE, "multi-user.target"),
        "k8s-ops-packages.service": (_PACKAGES, "multi-user.target"),
    }
    files: dict[str, GuestFile] = {}
    for name, (text, target) in own.items():
        files[f"{system}/{name}"] = GuestFile(text)
        files[f"{system}/{target}.wants/{name}"] = GuestFile(link=f"/{system}/{name}")
    for name in MASKED_UNITS:
        files[f"{system}/{name}"] = GuestFile(link="/dev/null")
    for name in MASKED_GENERATORS:
        files[f"etc/systemd/system-generators/{name}"] = GuestFile(link="/dev/null")
    for path in ENABLED_UNITS:
        files[f"{system}/{path}"] = GuestFile(link=f"/lib/systemd/system/{path.rpartition('/')[2]}")
    stages = {
        "cloud-init-local": "init-local",
        "cloud-init": "init",
        "cloud-init-network": "init",  # its name since cloud-init 24.3
        "cloud-config": "config",
        "cloud-final": "final",
    }
    for unit, stage in stages.items():
        files[f"{system}/{unit}.service.d/lab-event.conf"] = GuestFile(_stage_event(stage))
    files[f"{system}/systemd-udev-trigger.service.d/lab.conf"] = GuestFile(_UDEV_TRIGGER)
    ssh = "[Service]\nExecStartPre=\nExecStartPost=-/usr/local/sbin/lab-event ssh-ready\n"
    files[f"{system}/ssh.service.d/lab-event.conf"] = GuestFile(ssh)
    return files


def _scripts() -> dict[str, GuestFile]:
    names = ("lab-event", "lab-identity", "lab-boot-complete", "k8s-ops-packages", "netplan")
    return {f"usr/local/sbin/{name}": GuestFile(guest_file_text(f"{name}.sh"), 0o755) for name in names}


def _settings() -> dict[str, GuestFile]:
    return {
        "etc/apt/apt.conf.d/70debconf": GuestFile(
            "// Packages are installed without questions: none is looked for first.\n"
        ),
        "etc/apt/apt.conf.d/90lab": GuestFile('APT::Periodic::Enable "0";\nAcquire::Languages "none";\n'),
        "etc/ca-certificates.conf": GuestFile("# Only the lab's own authority is trusted.\n"),
        # Until cloud-init creates it there is no list of authorities, and without one python3-requests 2.32, and so
        # cloud-init, cannot be imported. The key of this one was never stored, and it has expired.
        "etc/ssl/certs/ca-certificates.crt": GuestFile(guest_file_text("placeholder-ca.crt")),
        "etc/cloud/cloud.cfg.d/90_lab.cfg": GuestFile(CLOUD_CONFIG),
        "etc/cloud/ds-identify.cfg": GuestFile("policy: enabled\n"),
        "etc/fstab": GuestFile("# The initial RAM disk mounts the root file system.\n"),
        "etc/hostname": GuestFile("localhost\n"),
        "etc/hosts": GuestFile("127.0.0.1 localhost\n"),
        "etc/machine-id": GuestFile(""),
        "etc/modprobe.d/lab.conf": GuestFile("".join(f"blacklist {name}\n" for name in UNUSED_MODULES)),
        "etc/resolv.conf": GuestFile(""),
        "etc/update-motd.d/10-uname": GuestFile("# Not executable: each login would wait for it.\n"),
        "etc/modules-load.d/lab.conf": GuestFile("button\nevdev\n"),
        "etc/systemd/journald.conf.d/lab.conf": GuestFile("[Journal]\nStorage=volatile\n"),
        "etc/systemd/system.conf.d/lab.conf": GuestFile("[Manager]\nDefaultTimeoutStopSec=20s\n"),
    }


def guest_files() -> dict[str, GuestFile]:
    """Return path (no leading slash) -> file of the image."""
    return {**_units(), **_scripts(), **_settings()}


def overlay_tar(files: Mapping[str, GuestFile] | None = None) -> bytes:
    """Return a reproducible tar archive of the files, by default `guest_files()`.

    Its members are owned by root and have no times.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, file in sorted((guest_files() if files is None else files).items()):
            info = tarfile.TarInfo(path)
            data = file.text.encode("utf-8")
            if file.link:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, file.link, 0o777
            else:
                info.size, info.mode = len(data), file.mode
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()
