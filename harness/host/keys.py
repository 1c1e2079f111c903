"""The SSH key file: what it is, and who else may read it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from harness.windows.access import access_list

# Well-known groups in SDDL (Microsoft, "SID Strings"): anybody who may log in is in one of them. Names are not used:
# they are translated, these are not.
_CROWDS = {
    "WD": "Everyone",
    "S-1-1-0": "Everyone",
    "BU": "Users",
    "S-1-5-32-545": "Users",
    "AU": "Authenticated Users",
    "S-1-5-11": "Authenticated Users",
    "BG": "Guests",
    "AN": "Anonymous",
    "IU": "Interactive users",
    "DU": "Domain Users",
}
_ACE = re.compile(r"\((A|D);([A-Z]*);([^;]*);[^;]*;[^;]*;([^;)]+)")
_FILE_READ_DATA = 0x1
_READING = ("FA", "FR", "GA", "GR")  # full and read, of files and generic


def key_kind(path: Path) -> str:
    """Return the type of a private key that can be used without a passphrase.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no private key, or has a passphrase.
    """
    data = path.read_bytes()
    if not data.lstrip().startswith(b"-----BEGIN"):
        what = "this is the public key" if data.startswith((b"ssh-", b"ecdsa-")) else "this is no private key"
        raise ValueError(what)
    load = serialization.load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else serialization.load_pem_private_key
    try:
        key = load(data, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        secret = isinstance(error, TypeError) or "password" in str(error).lower()
        raise ValueError("it has a passphrase" if secret else f"it cannot be loaded: {error}") from error
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ssh-ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return f"ssh-rsa ({key.key_size} bits)"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return f"ecdsa ({key.curve.name})"
    raise ValueError(f"SSH has no use for a {type(key).__name__}")


def posix_readers(path: Path) -> tuple[str, ...]:
    """Return who besides the owner may read the file, by its mode."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return (f"group and others (mode {mode:04o})",) if mode & 0o077 else ()


def windows_readers(path: Path) -> tuple[str, ...]:
    """Return the crowds that may read the file, by its access list.

    Raises:
        OSError: The access list cannot be read.
        ValueError: There is none.
    """
    return sddl_readers(access_list(path))


def sddl_readers(text: str) -> tuple[str, ...]:
    """Return the crowds that an access list in SDDL lets read.

    Raises:
        ValueError: There is no discretionary list in it.
    """
    lists = re.search(r"D:(?P<list>(?:[A-Z]*)(?:\([^)]*\))*)", text)
    if lists is None or "NO_ACCESS_CONTROL" in text:
        raise ValueError("the file has no access list: everybody may read it")
    readers = []
    for kind, _, rights, who in _ACE.findall(lists["list"]):
        if kind == "A" and _may_read(rights) and who in _CROWDS and _CROWDS[who] not in readers:
            readers.append(_CROWDS[who])
    return tuple(readers)


def _may_read(rights: str) -> bool:
    if rights.startswith("0x"):
        return bool(int(rights, 16) & (_FILE_READ_DATA | 0x80000000 | 0x10000000))  # GENERIC_READ, GENERIC_ALL
    return any(rights[index : index + 2] in _READING for index in range(0, len(rights), 2))
