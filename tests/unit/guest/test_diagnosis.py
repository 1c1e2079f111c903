"""Each known text has its cause; similar harmless texts have none."""

from __future__ import annotations

import pytest

from harness.guest.diagnosis import Source, diagnose, diagnose_each, known_patterns

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
CASES = [
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
        next(n for n, row in enumerate(known_patterns()) if source in row.sources and row.regex.search(text))
        for source, text, *_ in CASES
    }
    assert met == set(range(len(known_patterns())))


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
