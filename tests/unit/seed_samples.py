"""Inputs of the seed tests: a machine, and an image with short files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.config.model import MarkersSpec, Role
from harness.core.secret import Secret
from harness.guest.lab_keys import HostKey
from harness.image.spec import GuestImage
from harness.seed.model import SeedSpec

HOST_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH"
HOST_PRIVATE = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nAAAA==\n-----END OPENSSH PRIVATE KEY-----\n"
)
CA = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\nabcd==\n-----END CERTIFICATE-----\n"
LOGIN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLLL lab"


MARKERS = MarkersSpec(
    payload="/usr/local/seed",
    iso_copy="/var/lib/iso-copy-complete",
    cloud_init="/var/lib/cloud-init-complete",
    packages="/var/lib/k8s-ops-packages-installed",
)


def spec(**changes: Any) -> SeedSpec:
    base = SeedSpec(
        machine="k3s-master1",
        role=Role.MASTER,
        address="192.168.6.10/24",
        gateway="192.168.6.1",
        dns=("192.168.6.1",),
        ssh_public_key=LOGIN,
        host_key=HostKey(Secret(HOST_PRIVATE), HOST_PUBLIC),
        ca_certificate=CA,
        registry="192.168.6.1:5000",
        build_timestamp="2026-01-12T09:30:00+00:00",
        user="ubuntu",
        timezone="Asia/Seoul",
        kernel_modules=("overlay", "br_netfilter"),
        sysctl=(("net.bridge.bridge-nf-call-iptables", "1"), ("net.ipv4.ip_forward", "1")),
        paths=MARKERS,
        ssh_port=22,
        password_ssh=False,
        root_ssh=False,
        swap=False,
        lab_ca=True,
        iso_name="seed-master1.iso",
        peers=(("k3s-master1", "192.168.6.10"), ("k3s-worker1", "192.168.6.11")),
    )
    return replace(base, **changes)


def fake_image(directory: Path) -> GuestImage:
    """Return an image of the real layout; nothing in it could boot."""
    image = GuestImage(directory, "0123456789abcdef", "d" * 64)
    (directory / "packages").mkdir(parents=True)
    image.kernel.write_bytes(b"kernel" * 1000)
    image.initrd.write_bytes(b"initrd" * 500)
    image.disk_chunks.write_bytes(bytes(range(256)) * 8192)
    image.disk_map.write_text("0 0 2\n")
    image.disk_crc.write_text("17\n")
    image.disk_sectors.write_text("81788928\n")
    boot, library = image.isolinux
    boot.write_bytes(b"\xfa\xeb" + bytes(5000))
    library.write_bytes(b"library")
    (image.packages / "jq_1.6-2.1+deb12u1_amd64.deb").write_bytes(b"deb" * 700)
    long_name = "libsomething-with-a-very-long-name-for-rock-ridge-and-its-continuation-area-" + "x" * 100 + ".deb"
    (image.packages / long_name).write_bytes(b"long")
    (image.packages / "Packages").write_bytes(b"Package: jq\n")
    (image.packages / "expected").write_bytes(b"jq\n")
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    digests = {path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    listed = [{"path": name, "sha256": digest} for name, digest in digests.items()]
    image.description.write_text(json.dumps({"files": listed}))
    return image
