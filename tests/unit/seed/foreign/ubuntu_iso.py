"""ISOs in the layout of Ubuntu's live server, written without any program of others."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.seed.foreign.check import check_seed
from harness.seed.foreign.expected import Expected
from harness.seed.model import IsoInfo
from seed.foreign_iso import foreign_iso

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKx3k2"
EXPECTED = Expected(
    machine="node-a",
    address=IPv4Interface("10.20.0.5/16"),
    gateway=IPv4Address("10.20.0.1"),
    user="ops",
    key=KEY,
    mac="",
    password_ssh=False,
    registry=IPv4Address("10.20.0.2"),
    iso_copy="/srv/copied",
)
LINE = r"autoinstall ds=nocloud\;s=/cdrom/conf/ console=ttyS0,115200 ---"
GRUB = """\
set timeout=5
menuentry "Install" {
  linux /casper/vmlinuz %s
  initrd /casper/initrd
}
"""
DATA = f"""\
#cloud-config
autoinstall:
  version: 1
  identity:
    hostname: node-a
    username: ops
    password: "$6$salt$hash"
  ssh:
    install-server: true
    allow-pw: false
    authorized-keys:
      - {KEY} lab
  network:
    version: 2
    ethernets:
      card:
        match:
          name: "en*"
        addresses: [10.20.0.5/16]
        routes:
          - to: default
            via: 10.20.0.1
  apt:
    fallback: offline-install
  late-commands:
    - cp -a /cdrom/files/. /target/srv/seed/
    - date > /target/srv/copied
"""


def good_files(line: str = LINE, data: str = DATA) -> dict[str, bytes]:
    """Return the files of an ISO from which the machine is installed by itself."""
    return {
        "casper/vmlinuz": b"MZ",
        "casper/initrd": b"initrd",
        "boot/grub/grub.cfg": (GRUB % line).encode(),
        "conf/user-data": data.encode(),
        "conf/meta-data": b"instance-id: node-a\n",
        "files/k3s": b"\x7fELF",
    }


def edited(*edits: tuple[str, str]) -> str:
    """Return the good data with these texts replaced."""
    text = DATA
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def checked(
    folder: Path, files: Mapping[str, bytes | None], expected: Expected | None = EXPECTED, *, bootable: bool = True
) -> IsoInfo:
    """Return the check of an ISO with these files; None leaves one out."""
    kept = {name: data for name, data in files.items() if data is not None}
    return check_seed(foreign_iso(folder / "seed.iso", kept, bootable=bootable), expected, NOW)


def mistakes(info: IsoInfo) -> list[str]:
    return [str(finding) for finding in info.findings if finding.mistake]


def remarks(info: IsoInfo) -> list[str]:
    return [str(finding) for finding in info.findings if not finding.mistake]


def of_data(folder: Path, data: str, expected: Expected | None = EXPECTED) -> list[str]:
    """Return the mistakes in user-data."""
    return mistakes(checked(folder, good_files(data=data), expected))


def only(found: Sequence[str], *parts: str) -> bool:
    """Return whether there is one mistake, and it has these parts."""
    return len(found) == 1 and all(part in found[0] for part in parts)


@functools.cache
def certificate(names: tuple[str, ...] = (), *, days: int = 30, begins: int = -1, authority: bool = False) -> bytes:
    """Return a certificate in PEM that is valid in a range of days around `NOW`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry")])
    issuer = subject if authority else x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW + dt.timedelta(days=begins))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        addresses = [x509.IPAddress(IPv4Address(name)) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
