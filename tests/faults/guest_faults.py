"""Faults of a guest: its console, its SSH and its answers."""

from __future__ import annotations

from sessions.fake_lab import INSTALLER, SYSTEM

from harness.core.verdict import Phase, Status

from .making import (
    STATUS,
    accept_and_hang,
    another_host_key,
    answer,
    both,
    console,
    damaged_payload,
    evidence,
    freeze_at_the_marker,
    guest,
    installer_says,
    later,
    paused,
    reboots,
    refuse,
    unknown_key,
)
from .outcome import WORKER, Expected, Fault

CI_INFO = (
    "ci-info: | Device |   Up  |   Address    |      Mask     | Scope  |     Hw-Address    |\n"
    "ci-info: |  ens32 |  True | 192.168.6.99 | 255.255.255.0 | global | 00:50:56:00:00:01 |\n"
)
BOOT = Phase.BOOT
LOGIN = "ssh login"

GUEST_FAULTS = (
    Fault(
        "payload file damaged on one machine",
        damaged_payload,
        "40_iso_copy",
        Expected(Phase.ISO_COPY, "payload", "damaged: build-timestamp", "verify the ISO file"),
    ),
    Fault(
        "package missing from the offline repository",
        both(
            answer(
                "# cat /var/lib/k8s-ops-packages-installed", '{"installed": 7, "expected": 8, "missing": ["telnet"]}'
            ),
            evidence("k8s-ops-packages.log", "E: Unable to locate package telnet\n"),
        ),
        "60_packages",
        Expected(
            Phase.PACKAGES, "marker", "the offline repository does not have the package telnet", "build the seeds again"
        ),
    ),
    Fault(
        "package that fails to install while the marker claims success",
        both(
            answer("# dpkg-query -W", "jq ii  1.6\nhtop iF  3.2\n"),
            evidence("k8s-ops-packages.log", "dpkg: error processing package htop (--configure):\n"),
        ),
        "60_packages",
        Expected(Phase.PACKAGES, "dpkg", "the package htop fails to install", "maintainer script"),
    ),
    Fault(
        "user-data with broken YAML",
        both(
            guest(unknown_key),
            console("util.py[WARNING]: Failed loading yaml blob. Invalid format at line 12 column 3: x\n"),
        ),
        "30_boot",
        Expected(BOOT, LOGIN, "user-data is not valid YAML", "YAML checker", 3),
        {"boot": 3},
    ),
    Fault(
        "cloud-init error",
        answer(STATUS, '{"status": "error", "errors": ["(\'ssh\', boom)"]}', 1),
        "50_cloud_init",
        Expected(Phase.CLOUD_INIT, "result", "error: ('ssh', boom)", "cloud-init.log"),
    ),
    Fault(
        "cloud-init recoverable error",
        answer(STATUS, '{"status": "done", "errors": [], "recoverable_errors": {"WARNING": ["old key"]}}', 2),
        "50_cloud_init",
        Expected(Phase.CLOUD_INIT, "result", "recoverable error: WARNING: old key", "recoverable_errors: accept"),
    ),
    Fault(
        "cloud-init that never ends",
        console("", {"boot-complete"}),
        "50_cloud_init",
        Expected(Phase.CLOUD_INIT, "finished", "cloud-init to finish: not within 3 s", "deadlines_s.cloud_init", 3),
        {"cloud_init": 3},
    ),
    Fault(
        "installer that stops and waits for a person",
        console("  Willkommen! Bienvenue! Welcome!\n", {*SYSTEM, *INSTALLER}),
        "30_boot",
        Expected(BOOT, "guest answers", "the installer waits for input", "ds=nocloud"),
    ),
    Fault(
        "kernel panic",
        console("[ 4.4] Kernel panic - not syncing: VFS: Unable to mount root fs\n", set(SYSTEM)),
        "30_boot",
        Expected(BOOT, LOGIN, "kernel panic: VFS: Unable to mount root fs", "disk controller"),
    ),
    Fault(
        "root file system full",
        both(
            answer("# cat /var/lib/iso-copy-complete", "", 1),
            console("cp: error writing '/usr/local/seed/k3s': No space left on device\n"),
        ),
        "40_iso_copy",
        Expected(Phase.ISO_COPY, "marker", "a file system in the guest is full", "disk_gib", 3),
        {"iso_copy": 3},
    ),
    Fault(
        "no network",
        both(
            guest(refuse),
            console("systemd-networkd-wait-online[301]: Timeout occurred while waiting for network connectivity.\n"),
        ),
        "30_boot",
        Expected(BOOT, LOGIN, "the guest's network did not come up", "network-config", 3),
        {"boot": 3},
    ),
    Fault(
        "wrong address",
        both(guest(refuse), console(CI_INFO)),
        "30_boot",
        Expected(BOOT, LOGIN, "the guest has 192.168.6.99, not 192.168.6.11", "", 3),
        {"boot": 3},
    ),
    Fault(
        "SSH refused",
        guest(refuse),
        "30_boot",
        Expected(
            BOOT,
            LOGIN,
            "last seen: no SSH connection: no SSH server at this port",
            "serial-1.log; if the guest was still at work, raise `deadlines_s.boot`",
            3,
        ),
        {"boot": 3},
    ),
    Fault(
        "SSH refuses the lab's key",
        guest(unknown_key),
        "30_boot",
        Expected(
            BOOT,
            LOGIN,
            "last seen: sshd rejects the lab's key",
            "serial-1.log; if the guest was still at work, raise `deadlines_s.boot`",
            3,
        ),
        {"boot": 3},
    ),
    Fault(
        "SSH with another host key (two machines with one address)",
        guest(another_host_key),
        "30_boot",
        Expected(BOOT, LOGIN, "another machine answers: the host key is not the pinned one", "find the machine"),
    ),
    Fault(
        "SSH that accepts and hangs",
        guest(accept_and_hang),
        "30_boot",
        Expected(
            BOOT,
            LOGIN,
            "the port is open, but no SSH server answers in time",
            "serial-1.log; if the guest was still at work, raise `deadlines_s.boot`",
            3,
        ),
        {"boot": 3},
    ),
    Fault(
        "guest that stops answering after the login",
        guest(freeze_at_the_marker),
        "40_iso_copy",
        Expected(
            Phase.ISO_COPY,
            "marker",
            "did not end within",
            "serial-1.log; if the guest was still at work, raise `deadlines_s.iso_copy`",
            3,
        ),
        {"iso_copy": 3},
    ),
    Fault(
        "guest that reboots for ever",
        reboots,
        "30_boot",
        Expected(BOOT, LOGIN, "the guest restarts again and again", "bios.bootOrder"),
    ),
    Fault(
        "reinstall loop",
        installer_says("installer-refused", "disk-not-blank"),
        "30_boot",
        Expected(BOOT, LOGIN, "reinstall loop", "bios.bootOrder"),
    ),
    Fault(
        "ISO removed while attached",
        installer_says("installer-failed", "no-cd"),
        "30_boot",
        Expected(BOOT, LOGIN, "the installer finds no seed ISO in the drive", "sata0:1"),
    ),
    Fault(
        "seed ISO damaged while it was read",
        installer_says("installer-failed", "image-differs"),
        "30_boot",
        Expected(BOOT, LOGIN, "the operating system on the disk is not the one that the seed ISO", "lab seed"),
    ),
    Fault(
        "guest powered off from inside",
        both(
            console("", {"ssh-ready", "boot-complete"}),
            later(
                lambda lab, vmx: lab.vmrun.end(vmx, "The guest has requested that the virtual machine be powered off.")
            ),
        ),
        "30_boot",
        Expected(BOOT, LOGIN, "the guest powered itself off", "a script of the seed", 3),
    ),
    Fault(
        "hypervisor process killed",
        both(
            console("", {"ssh-ready", "boot-complete"}),
            later(lambda lab, vmx: lab.vmrun.end(vmx, "Msg_Post: Error\n[msg.vmrunqemu] QEMU ended with -9: ")),
        ),
        "30_boot",
        Expected(BOOT, LOGIN, "the hypervisor's process ended (-9)", "signal", 3, Status.ERROR),
    ),
    Fault(
        "machine paused behind our back",
        both(guest(freeze_at_the_marker), paused),
        "40_iso_copy",
        Expected(Phase.ISO_COPY, "marker", "the machine is paused", "", 3),
        {"iso_copy": 3},
    ),
    Fault(
        "clock hours off",
        lambda lab: lab.guests[WORKER].says.update({"date +%s.%N": (0, "1700000000.0\n")}),
        "80_guests",
        Expected(Phase.GUESTS, "clock is the hosts", "the guest's clock is ", "lab ssh k3s-worker1", 20),
    ),
    Fault(
        "service that crashes after it was seen up",
        answer("systemctl list-units --state=failed", "k3s.service loaded failed failed Lightweight Kubernetes\n"),
        "80_guests",
        Expected(Phase.GUESTS, "no failed units", "failed units: k3s.service", "lab ssh k3s-worker1", 20),
    ),
)
