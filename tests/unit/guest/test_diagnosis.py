"""Each known text has its cause; similar harmless texts have none."""

from __future__ import annotations

import pytest

from harness.guest.diagnosis import Pattern, Source, diagnose, diagnose_each, known_patterns

FATAL = [
    ("@LAB1 - b0 installer-refused reason=disk-not-blank #48", "refused"),
    ("@LAB1 - b0 installer-failed reason=no-cd #42", "no seed ISO"),
    ("@LAB1 - b0 installer-failed reason=image-differs #50", "the operating system on the disk is not the one"),
    ("@LAB1 - b0 installer-failed reason=digest-differs #50", "not the one on the seed ISO (digest-differs)"),
    ("@LAB1 - b0 installer-failed reason=zstd #41", "the installer failed: zstd"),
    (
        "[    4.4] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        "kernel panic: VFS: Unable to mount root fs on unknown-block(0,0)",
    ),
    ("---[ end Kernel panic - not syncing: sysrq triggered crash ]---", "kernel panic: sysrq triggered crash"),
    ("init: no disk has the root file system UUID=1-2", "does not find the root file system"),
    ("error: no such device: 1234.\nEntering rescue mode...\ngrub rescue> ", "GRUB"),
    ("Failed to load ldlinux.c32\nBoot failed: please change disks", "boot loader"),
    ("isolinux.bin missing or corrupt.", "boot loader"),
    ("No DEFAULT or UI configuration directive found!\nboot: ", "boot loader"),
    ("Boot failed: Could not read from CDROM (code 0003)\nNo bootable device.", "no bootable device"),
    ("Operating System not found", "no bootable device"),
    ("Continue with autoinstall? (yes|no)", "waits for input"),
    ("Press [Enter] to continue", "waits for input"),
    ("  Willkommen! Bienvenue! Welcome! Добро пожаловать!", "waits for input"),
    ("Use UP, DOWN and ENTER keys to select your language.", "waits for input"),
    ("Please choose your preferred language.", "waits for input"),
    ("[ Continue in rich mode  > ]", "waits for input"),
    ("finish: subiquity/Install/install/curtin_install: FAIL: Command failed", "the installer failed and waits"),
    ("You are in emergency mode. After logging in, type", "emergency mode"),
    ("Give root password for maintenance\n(or press Control-D to continue): ", "emergency mode"),
    ("Cannot open access to console, the root account is locked.", "emergency mode"),
    ("ALERT!  UUID=1-2 does not exist.  Dropping to a shell!\n\n(initramfs) ", "initramfs"),
    ("\n(initramfs) ", "initramfs"),
    ("Gave up waiting for root file system device.  Common problems:", "initramfs"),
]
HURT = [
    ("[  99.1] Out of memory: Killed process 412 (apt-get) total-vm:1", "out of memory"),
    ("[  99.1] systemd invoked oom-killer: gfp_mask=0x1", "out of memory"),
    ("cp: error writing '/usr/local/seed/x': No space left on device", "full"),
    ("EXT4-fs (sda1): Remounting filesystem read-only", "read-only"),
    ("touch: cannot touch '/x': Read-only file system", "read-only"),
    ("blk_update_request: I/O error, dev sda, sector 2048", "read-only"),
    ("stages.py[WARNING]: Did not find any data source, searched classes: (DataSourceNoCloud)", "no data source"),
    ("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time", "clock"),
    ("SSL certificate problem: certificate is not yet valid", "clock"),
    ("x509: cannot validate certificate for 192.168.6.1 because it doesn't contain any IP SANs", "name the address"),
    ("x509: certificate is valid for 10.0.0.1, not 192.168.6.1", "name the address"),
    ("x509: certificate signed by unknown authority", "authority"),
    ("watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [swapper/0:1]", "overloaded"),
    ("rcu: INFO: rcu_sched self-detected stall on CPU", "overloaded"),
    ("INFO: task dpkg:812 blocked for more than 120 seconds.", "overloaded"),
]


ELSEWHERE = [
    (
        Source.CLOUD_INIT,
        "ci-info: |   lo   |  True | 127.0.0.1 |\nci-info: | ens32 | False |     .     |",
        "did not come up: ens32 is down",
    ),
    (
        Source.CONSOLE,
        "systemd-networkd-wait-online[301]: Timeout occurred while waiting for network connectivity.",
        "did not come up in time",
    ),
    (
        Source.HYPERVISOR,
        "Cannot connect /seeds/seed.iso as a CD-ROM image. sata0:1 starts disconnected.",
        "/seeds/seed.iso",
    ),
    (Source.CLOUD_INIT, "util.py[WARNING]: Failed loading yaml blob. Invalid format at line 3 column 1: x", "line 3"),
    (Source.CLOUD_INIT, "Failed loading yaml blob. Yaml load allows (<class 'dict'>,) root types", "not valid YAML"),
    (
        Source.CLOUD_INIT,
        "__init__.py[WARNING]: Unhandled non-multipart (text/x-not-multipart) userdata: 'b",
        "begin with",
    ),
    (Source.CLOUD_INIT, "RuntimeError: Not all expected physical devices present: {'52:54:00:00:00:01'}", "52:54:00"),
    (
        Source.CLOUD_INIT,
        "util.py[WARNING]: Failed to run module scripts_user (scripts in /var)",
        "failed (scripts_user)",
    ),
    (
        Source.CLOUD_INIT,
        "Failed running /var/lib/cloud/instance/scripts/runcmd [1]",
        "(/var/lib/cloud/instance/scripts/",
    ),
    (
        Source.CLOUD_INIT,
        "util.py[WARNING]: Running module ssh (<module 'cloudinit.config.cc_ssh' from '/usr/x.py'>) failed",
        "module ssh failed",
    ),
    (Source.CLOUD_INIT, "schema.py[WARNING]: Invalid cloud-config provided: Please run", "rejects a value"),
    (Source.PACKAGES, "E: Unable to locate package telnet", "does not have the package telnet"),
    (Source.PACKAGES, "E: Package 'yq' has no installation candidate", "does not have the package yq"),
    (Source.PACKAGES, "E: Failed to fetch file:/x/jq.deb  Hash Sum mismatch", "damaged"),
    (
        Source.PACKAGES,
        "dpkg: error processing package htop (--configure):\n installed",
        "package htop fails to install",
    ),
    (
        Source.PACKAGES,
        "The following packages have unmet dependencies:\n dnsutils : Depends: bind9-dnsutils but it is not",
        "dependency of the package dnsutils is not in the offline repository: bind9-dnsutils but",
    ),
    (Source.PACKAGES, "  Temporary failure resolving 'deb.example.org'", "in the internet (deb.example.org)"),
    (Source.PACKAGES, "W: GPG error: file:/x InRelease: NO_PUBKEY 0E98404D386FA1D9", "signature"),
    (Source.PACKAGES, "E: Could not get lock /var/lib/dpkg/lock-frontend", "holds the package database"),
    (Source.CLOUD_INIT, "/var/lib/cloud/instance/scripts/runcmd: 2: \\r: command not found", "Windows line ends"),
    (Source.CONSOLE, "/usr/bin/env: bash^M: bad interpreter: No such file", "Windows line ends"),
    (
        Source.JOURNAL,
        "k3s.service: Main process exited, code=killed, status=9/KILL",
        "k3s.service crashed (9/KILL)",
    ),
    (Source.JOURNAL, "k3s.service: Start request repeated too quickly.", "k3s.service crashed"),
    (
        Source.JOURNAL,
        'CreateContainerError: "get parser version: exec: "apparmor_parser": executable file not found in $PATH"',
        "apparmor_parser is not installed",
    ),
    (Source.JOURNAL, 'level=fatal msg="no default routes found in /proc/net/route"', "no default route"),
    (
        Source.JOURNAL,
        "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match",
        "from an earlier installation",
    ),
    (
        Source.JOURNAL,
        'failed to pull image \\"rancher/pause:3.6\\": failed to pull and unpack image',
        "rancher/pause:3.6 is neither on the node",
    ),
    (
        Source.HYPERVISOR,
        "[msg.x] VMware Workstation and Device/Credential Guard are not compatible.",
        "Windows uses hardware virtualisation",
    ),
    (
        Source.HYPERVISOR,
        "VMware Player and Hyper-V are not compatible. Remove the Hyper-V role from the system",
        "Windows uses hardware virt",
    ),
    (
        Source.HYPERVISOR,
        "This host supports Intel VT-x, but Intel VT-x is disabled.",
        "does not let the hypervisor use",
    ),
    (
        Source.HYPERVISOR,
        "Virtualized Intel VT-x/EPT is not supported on this platform.",
        "does not let the hypervisor use",
    ),
    (Source.HYPERVISOR, "Module 'MonitorLoop' power on failed.", "does not let the hypervisor use"),
    (
        Source.HYPERVISOR,
        "VMware Workstation does not support nested virtualization on this host.",
        "is itself a virtual machine",
    ),
    (
        Source.HYPERVISOR,
        "[msg.vmmon] Could not open /dev/vmmon: No such file or directory.",
        "kernel modules are not loaded",
    ),
    (
        Source.HYPERVISOR,
        "[msg.device.startdisconnected] Virtual device 'sata0:1' will start disconnected.",
        "the seed ISO is not in the drive: sata0:1 starts",
    ),
    (
        Source.HYPERVISOR,
        "Cannot connect the virtual device sata0:1 because no corresponding device is available",
        "the seed ISO is not in the drive",
    ),
    (
        Source.HYPERVISOR,
        "[msg.upgrade.tooNewCurrentHWVersion] This virtual machine's hardware version",
        "does not know the virtual hardware version",
    ),
    (
        Source.HYPERVISOR,
        "No PCIe slot available for Ethernet0. Remove Ethernet0 and try again.",
        "no free PCI slot for Ethernet0",
    ),
    (
        Source.HYPERVISOR,
        "Not enough physical memory is available to power on this virtual machine",
        "too little free memory",
    ),
    (Source.HYPERVISOR, "[msg.fileio.lock] Failed to lock the file", "another process holds a file"),
    (Source.HYPERVISOR, "A password is required for this operation", "the machine is encrypted"),
    (Source.HYPERVISOR, 'File "/vms/a/a.vmx" line 12 syntax error. Dictionary problem.', "the VMX is damaged"),
    (Source.HYPERVISOR, "DISK: Failed to open disk for read/write at 'x.vmdk'", "cannot open the virtual disk"),
    (Source.HYPERVISOR, "qemu: Could not open '/seeds/seed-worker1.iso': No such", "is missing: /seeds/seed-w"),
    (Source.HYPERVISOR, "[msg.moduletable.powerOnFailed] Module 'MonitorMode' power on failed.", "virtualisation"),
    (Source.HYPERVISOR, "The network bridge on device 'VMnet1' is not running.", "virtual network is not running"),
    (Source.HYPERVISOR, "The CPU has been disabled by the guest operating system.", "disabled its processor"),
    (
        Source.HYPERVISOR,
        "Chipset: The guest has requested that the virtual machine be powered off.",
        "the guest powered itself off",
    ),
    (
        Source.HYPERVISOR,
        "Vix: the virtual machine is powered off; QEMU exited with 0",
        "the guest powered itself off",
    ),
]
CASPER = "[    0.000000] Command line: BOOT_IMAGE=/casper/vmlinuz"
SERIAL = "console=ttyS0,115200 ---"
SYSTEMD_CAT = (
    "Command '['systemd-run', '--wait', 'sh', '-c', 'cp -a /cdrom/x /target']' returned non-zero exit status 1."
)
UBUNTU_FATAL = [
    (
        "Begin: Running /scripts/casper-premount ... done.\nUnable to find a medium containing a live file system\n"
        "Attempt interactive netboot from a URL?\nyes no (default yes): ",
        "does not find its medium",
    ),
    ("Please remove the installation medium, then press ENTER:", "asks to remove the medium"),
    ("error: file `/casper/vmlinux' not found.\nerror: you need to load the kernel first.", "names: /casper/vmlinux"),
    ("error: ../../grub-core/loader/i386/efi/linux.c:264:you need to load the kernel first.", "GRUB does not find"),
    ("Bootloader has not verified loaded image.\nerror: bad shim signature.", "Secure Boot refuses"),
    ("BdsDxe: No bootable option or device was found.", "no bootable device: the EFI firmware"),
    ("UEFI Interactive Shell v2.2\nEDK II\nShell> ", "no bootable device: the EFI firmware"),
    (
        "finish: subiquity/load_autoinstall_config: FAIL: Malformed autoinstall in 'identity' section",
        "malformed section 'identity'",
    ),
    (
        "error: subiquity/load_autoinstall_config: Malformed autoinstall in 'version or interactive-sections' section",
        "malformed section 'version or interactive-sections'",
    ),
    ("subiquity/Mirror/apply_autoinstall_config: aborting the install after mirror check failure", "no package mirror"),
    ("RuntimeError: aborting install since no mirror is usable", "no package mirror answers"),
    ("Exception: Failed to find matching device for {'id': 'disk0', 'type': 'disk'}", "storage section"),
    ("Exception: autoinstall config did not create needed bootloader partition", "storage section"),
    (
        f"finish: subiquity/Late/run/command_2: FAIL: {SYSTEMD_CAT}",
        "command 2 (counted from 0) of Late-commands failed",
    ),
    (
        "        finish: cmd-install/stage-late/late_3/cmd-in-target: FAIL: curtin command in-target",
        "stage-late/late_3",
    ),
    (
        "curtin: Installation failed with exception: Unexpected error while running command.",
        "the installation failed: Unexpected error",
    ),
    ("  \u2502 [!!] Select a language \u251c", "waits for input: Select a language"),
    ("Please make a selection from the above ['b' to begin installation, 'q' to quit]: ", "waits for input"),
    ("Sorry, there was a problem completing the installation.", "the installer failed and waits"),
    ("Entering emergency mode. Exit the shell to continue.", "emergency mode"),
]
UBUNTU = [
    ("[    1.1] Initramfs unpacking failed: write error", "cannot unpack its initrd: write error"),
    ("mount: mounting /dev/sr0 on /cdrom failed: No such device", "cdrom (/dev/sr0): No such device"),
    ("mount: mounting /dev/sr1 on /root/cdrom failed: Invalid argument", "cdrom (/dev/sr1): Invalid argument"),
    ("mount: /cdrom: can't read superblock on /dev/sr0.", "can't read superblock on /dev/sr0"),
    ("[   20.1] SQUASHFS error: Unable to read metadata cache entry [5e2c1f]", "cannot be read to its end"),
    ("blk_update_request: I/O error, dev sr0, sector 2871040 op 0x0:(READ) flags 0x80700", "to its end (sr0)"),
    (
        "error: subiquity/extract_autoinstall: 'identity' is valid autoinstall but not found under 'autoinstall'.",
        "not below the key `autoinstall`: identity",
    ),
    (
        "/etc/netplan/00-installer-config.yaml:9:9: Error in network definition: address '192.168.6.11' is missing"
        " /prefixlength",
        "rejected: address '192.168.6.11' is missing /prefixlength",
    ),
    ("schema.py[WARNING]: Invalid network-config provided: Please run", "network configuration is rejected"),
    (
        "[ ***  ] A start job is running for Wait for Network to be Configured (1min 30s / 2min)",
        "network did not come up in time",
    ),
    (
        "[*     ] Job systemd-networkd-wait-online.service/start running (1min 2s / 2min)",
        "network did not come up in time",
    ),
    ("[  *** ] A start job is running for Wait until snapd is fully seeded (4min 2s / no limit)", "its snaps"),
    (
        "[ ***  ] A start job is running for /dev/disk/by-uuid/7c1b (1min 3s / 1min 30s)",
        "a unit of systemd: /dev/disk/by-uuid/7c1b, since 1min 3s",
    ),
    ("casper-md5check: Check finished: errors found in 2 files! You might encounter errors.", "md5sum.txt"),
    (f"{CASPER} quiet {SERIAL}", "no word `autoinstall`: BOOT_IMAGE=/casper/vmlinuz quiet console"),
    (f"{CASPER} autoinstall ds=nocloud", "`ds=nocloud` without `s=…`"),
    (f"{CASPER} autoinstall ds=nocloud-net {SERIAL}", "`ds=nocloud` without `s=…`"),
    (f"{CASPER} autoinstall ds=nocloud;s=/cdrom/server/ ---", "no `console=ttyS0`"),
    ("ci-info: no authorized SSH keys fingerprints found for user ubuntu.", "the user ubuntu has no SSH key"),
    (
        "  Cannot initiate the connection to archive.ubuntu.com:80 (2620:2d:4000:1::19). - connect (101: Network is "
        "unreachable)",
        "in the internet (archive.ubuntu.com)",
    ),
    ("E: Failed to fetch http://mirror.example/ubuntu/dists/noble/InRelease", "(mirror.example)"),
]
CASES = [
    *((Source.CONSOLE, *case, True) for case in UBUNTU_FATAL),
    *((Source.CONSOLE, *case, False) for case in UBUNTU),
    (
        Source.JOURNAL,
        "w1 kernel: Command line: BOOT_IMAGE=/vmlinuz-5.15 root=/dev/sda2 ro ds=nocloud;s=/cdrom/autoinstall/",
        "keeps the installer's data source on its kernel line (/cdrom/autoinstall/)",
        False,
    ),
    (
        Source.HYPERVISOR,
        "DISKLIB-LIB: Failed to open 'seed-worker1.iso': The file is already in use (0x3e8a)",
        "the file seed-worker1.iso is in use",
        False,
    ),
    *((Source.CONSOLE, *case, True) for case in FATAL),
    *((Source.CONSOLE, *case, False) for case in HURT),
    *((*case, False) for case in ELSEWHERE),
    (
        Source.HYPERVISOR,
        "[msg.Backdoor.OsNotFound] No operating system was found. If you have an operating system installation disc",
        "no bootable medium",
        True,
    ),
    (Source.HYPERVISOR, "[msg.disk.noSpace] There is not enough space in the file system", "host's disk is full", True),
    (
        Source.HYPERVISOR,
        "[msg.hbacommon.outofspace] There is no more space for virtual disk a.vmdk. You might be able to continue",
        "host's disk is full",
        True,
    ),
    (
        Source.HYPERVISOR,
        "[msg.hbacommon.ioerror] The host cannot read or write virtual disk a.vmdk. The virtual machine is paused.",
        "cannot read or write the virtual disk a.vmdk",
        True,
    ),
    (
        Source.HYPERVISOR,
        "[msg.vmrunqemu.network] The virtual network vmnet1 is down: its daemon ended.",
        "virtual network vmnet1 is down",
        True,
    ),
    (Source.HYPERVISOR, "[msg.vmrunqemu] QEMU ended with -9: ", "the hypervisor's process ended (-9)", True),
    (Source.HYPERVISOR, "VMware Workstation unrecoverable error: (vcpu-0)", "the hypervisor itself crashed", True),
]


@pytest.mark.parametrize(("source", "text", "cause", "fatal"), CASES)
def test_a_text_has_its_cause(source: Source, text: str, cause: str, fatal: bool) -> None:
    found = diagnose(f"[    0.0] Linux version 6.1.0\n{text}", source)
    assert found is not None
    assert cause in found.cause
    assert not found.cause.endswith((":", "()", " "))
    assert found.fatal == fatal
    assert found.remedy
    assert found.line
    assert found.line in text
    assert found.source is source


def test_every_row_is_met_by_a_text_of_its_own() -> None:
    met = {
        next(n for n, row in rows() if row.alone and source in row.sources and row.regex.search(text))
        for source, text, *_ in CASES
    }
    assert met == {number for number, row in rows() if row.alone}


def rows() -> list[tuple[int, Pattern]]:
    return list(enumerate(known_patterns()))


RICH = "\n[ Continue in rich mode  > ]\n[ Continue in basic mode > ]\n[ View SSH instructions ]"
PROMPT = "\nAdd 'autoinstall' to your kernel command line to avoid this\n\nContinue with autoinstall? (yes|no)"
GOOD = f"{CASPER} autoinstall ds=nocloud;s=/cdrom/server/ {SERIAL}\n"
CUT = f"{CASPER} autoinstall ds=nocloud {SERIAL}\n"


@pytest.mark.parametrize(
    ("text", "first", "reason", "remedy"),
    [
        (f"{CASPER} {SERIAL}{PROMPT}", "asks whether to continue", "no word `autoinstall`", "in front of `---`"),
        (f"{CUT}{RICH}", "did not find its autoinstall data", "without `s=…`", "quote it in GRUB"),
        (
            f"{GOOD}util.py[WARNING]: Failed loading yaml blob. Invalid format at line 7 column 1: x{RICH}",
            "did not find its autoinstall data",
            "line 7 column 1",
            "YAML checker",
        ),
        (
            f"{GOOD}Unhandled non-multipart (text/x-not-multipart) userdata: 'b' # cloud-config{RICH}",
            "did not find",
            "does not begin with `#cloud-config`",
            "byte order mark",
        ),
        (
            f"{CASPER} autoinstall ds=nocloud;s=/cdrom/server {SERIAL}{RICH}",
            "did not find",
            "`s=/cdrom/server` on",
            "write `s=/cdrom/server/`",
        ),
        (
            f"{GOOD}Cloud-init v. 22.4 finished at X. Datasource DataSourceNone.  Up 30 seconds{RICH}",
            "did not find",
            "cloud-init found no data on the ISO",
            "meta-data must be beside it",
        ),
        (
            "E: Unable to locate package htopp\nfinish: subiquity/Install/install/postinstall: FAIL: Command failed",
            "the installer failed",
            "the package htopp",
            "`packages` of the autoinstall data",
        ),
        (
            "mount: mounting /dev/sr0 on /cdrom failed: No such device\nUnable to find a medium containing a live file"
            " system\n\n(initramfs) ",
            "does not find its medium",
            "cdrom (/dev/sr0): No such device",
            "no driver of the drive",
        ),
        (
            "Initramfs unpacking failed: Decoding failed\nKernel panic - not syncing: VFS: Unable to mount root fs",
            "kernel panic: VFS",
            "cannot unpack its initrd: Decoding failed",
            "the initrd is damaged",
        ),
        (
            "Initramfs unpacking failed: write error\nKernel panic - not syncing: VFS: Unable to mount root fs",
            "kernel panic: VFS",
            "cannot unpack its initrd: write error",
            "more memory",
        ),
    ],
)
def test_the_reason_that_the_same_text_has_is_added(text: str, first: str, reason: str, remedy: str) -> None:
    found = diagnose(text)
    assert found is not None
    assert found.fatal
    assert first in found.cause
    assert reason in found.cause
    assert remedy in found.remedy
    assert found.line
    assert found.line in text


def test_every_reason_has_its_topic_and_a_row_that_counts_with_it_only_is_a_reason() -> None:
    topics = {row.topic for row in known_patterns()}
    assert all(row.reason_of <= topics for row in known_patterns())
    assert all(row.alone or row.reason_of for row in known_patterns())


def test_the_kernel_line_of_an_earlier_start_explains_nothing() -> None:
    assert (
        diagnose(f"{CUT}[    0.0] Linux version 6.8.0\n[    0.0] Command line: BOOT_IMAGE=/vmlinuz root=/dev/sda2")
        is None
    )


@pytest.mark.parametrize("text", [f"{CUT}{PROMPT}", "Malformed autoinstall in 'storage' section\n"])
def test_the_log_of_the_installer_is_searched_too(text: str) -> None:
    found = diagnose(text, Source.INSTALLER)
    assert found is not None
    assert found.source.shown == "the installer's log"


def test_a_text_counts_only_where_its_row_looks() -> None:
    assert diagnose("E: Unable to locate package telnet", Source.JOURNAL) is None
    assert diagnose("You are in emergency mode", Source.CLOUD_INIT) is None


def test_the_gravest_of_several_texts_comes_first_whatever_their_order() -> None:
    texts = {Source.PACKAGES: "dpkg: error processing package x", Source.CONSOLE: "No space left on device"}
    assert [found.source for found in diagnose_each(texts)] == [Source.CONSOLE, Source.PACKAGES]
    assert diagnose_each({}) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Booting from Hard Disk...\nBoot failed: not a bootable disk\n\nBooting from DVD/CD...\nISOLINUX 6.04",
        "[    1.2] Kernel command line: panic=10 autoinstall ds=nocloud",
        "Cloud-init v. 22.4.2 finished at X. Datasource DataSourceNoCloud [seed=/var/lib/cloud/seed].  Up 99 seconds",
        "@LAB1 - b0 installer-done #25",
        "[  OK  ] Reached target emergency.target is not wanted",
        "EXT4-fs (sda1): mounted filesystem read-only with ordered data mode",
        "k3s-master1 login: ",
        "update-initramfs: Generating /boot/initrd.img (initramfs) done",
        f"{CASPER} autoinstall ds=nocloud;s=/cdrom/autoinstall/ {SERIAL}",
        f'{CASPER} autoinstall "ds=nocloud;s=/cdrom/autoinstall/" {SERIAL}',
        "[  *** ] A start job is running for Wait for Network to be Configured (12s / 2min)",
        "ci-info: no authorized SSH keys fingerprints found for user installer.",
        "[    0.9] Initramfs unpacking failed: Decoding failed",
        "[!] a script of the seed warns",
        "error: file `/boot/grub/i386-pc/linuxefi.mod' not found.",
    ],
)
def test_a_healthy_console_has_none(text: str) -> None:
    assert diagnose(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "In(05) vmx IOPL_Init: Hyper-V detected by CPUID",
        "In(05) vmx IOPL_VBSRunning: VBS is set to 1",
        "In(05) vmx Monitor Mode: ULM",
        "In(05) vmx Virtual device 'floppy0' will start disconnected.",
        "In(05) vmx HV Settings: virtual exec = 'hardware'; virtual mmu = 'hardware'",
        "In(05) vmx DICT vhv.enable = FALSE",
    ],
)
def test_a_healthy_log_of_vmware_has_none(text: str) -> None:
    assert diagnose(text, Source.HYPERVISOR) is None


def test_a_remedy_is_that_of_the_hosts_operating_system() -> None:
    def remedy(platform: str, text: str) -> str:
        return next(row.remedy for row in known_patterns(platform) if row.regex.search(text))

    assert "bcdedit" in remedy("win32", "Module 'MonitorMode' power on failed")
    assert "bcdedit" not in remedy("linux", "Module 'MonitorMode' power on failed")
    assert "vmware-modconfig" in remedy("linux", "Could not open /dev/vmmon: No such file")
    assert "vmware-modconfig" not in remedy("win32", "Could not open /dev/vmmon: No such file")


def test_fatal_causes_stand_before_others() -> None:
    found = diagnose("BUG: soft lockup - CPU#0\nNo space left on device\nKernel panic - not syncing: out of luck\nmore")
    assert found is not None
    assert found.line == "Kernel panic - not syncing: out of luck"


@pytest.mark.parametrize(
    "line",
    [
        "finish: subiquity/Refresh/check_for_update: FAIL: cancelled",
        "finish: subiquity/Refresh/check_for_update: FAIL: cannot reach the store",
        "finish: subiquity/Mirror/run_apt_config_check: FAIL: cancelled",
        "finish: subiquity/SnapList/list: FAIL: timed out",
        "Cloud-init v. 25.3-0ubuntu1 finished at X. Datasource DataSourceNone.  Up 40.10 seconds",
        "cc_final_message.py[WARNING]: Used fallback datasource",
    ],
)
def test_what_a_healthy_ubuntu_prints_explains_no_failure(line: str) -> None:
    """Its installer looks for updates that an air-gapped lab does not have, and hands over by DataSourceNone."""
    assert diagnose(line, Source.CONSOLE) is None
    assert diagnose(line, Source.CLOUD_INIT) is None


def test_a_late_command_that_fails_ends_the_installation() -> None:
    found = diagnose("finish: subiquity/Late/run/command_1: FAIL: Command 'cp' failed", Source.CONSOLE)
    assert found is not None
    assert found.fatal
