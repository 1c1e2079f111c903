"""The SSH key file: what it is, and who else may read it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from harness.system.windows.acl import access_list, account_sid

# Who may read a private key besides its owner, as OpenSSH for Windows sees it too: the system, administrators (their
# built-in account among them), and whoever owns the file.
_TRUSTED = {"SY", "S-1-5-18", "BA", "S-1-5-32-544", "LA", "OW", "S-1-3-4"}
# Well-known groups in SDDL (Microsoft, "SID Strings"). Names are not used: they are translated, these are not.
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
# What gives: allow, allow an object, and both with a condition (Microsoft, "ACE Strings").
_ALLOWED = re.compile(r"\((?:A|OA|XA|ZA);[A-Z]*;([^;]*);[^;]*;[^;]*;([^;)]+)")
_FILE_READ_DATA = 0x1
_GENERIC_READ, _GENERIC_ALL = 0x80000000, 0x10000000
# Names of rights with the bit FILE_READ_DATA: of files, generic, of registry keys, and the bit alone, which is called
# "create child" (Microsoft, "ACE Strings": a name stands for its bits, whatever the thing is).
_READING = ("FA", "FR", "GA", "GR", "KA", "KR", "KX", "CC")


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
    """Return who besides this account, the system and administrators may read the file, by its access list.

    Raises:
        OSError: The access list cannot be read.
    """
    return sddl_readers(access_list(path), account_sid())


def sddl_readers(text: str, account: str) -> tuple[str, ...]:
    """Return whom an access list in SDDL lets read besides the account with that security identifier.

    They are named as `Everyone`, else by their identifier. What a list denies is not looked at, as OpenSSH does not.
    Without a discretionary list there is nobody who may not read.
    """
    lists = re.search(r"D:(.*)", text, re.DOTALL)
    if lists is None or "NO_ACCESS_CONTROL" in text:
        return ("Everyone: the file has no access list",)
    found = (who for rights, who in _ALLOWED.findall(lists[1]) if _may_read(rights))
    return tuple(dict.fromkeys(_CROWDS.get(who, who) for who in found if who not in _TRUSTED and who != account))


def _may_read(rights: str) -> bool:
    if rights.startswith("0x"):
        return bool(int(rights, 16) & (_FILE_READ_DATA | _GENERIC_READ | _GENERIC_ALL))
    return any(rights[index : index + 2] in _READING for index in range(0, len(rights), 2))
