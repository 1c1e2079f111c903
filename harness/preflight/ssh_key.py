"""Inspect the SSH key file: its type and its readers."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from harness.system.windows.acl import access_list, account_sid

# Allowed readers of a private key besides its owner, as in OpenSSH for Windows: the system, administrators (their
# built-in account included), and the owner of the file.
_TRUSTED = {"SY", "S-1-5-18", "BA", "S-1-5-32-544", "LA", "OW", "S-1-3-4"}
# Well-known groups in SDDL (Microsoft, "SID Strings"). Names are not used, because Windows translates them.
_GROUPS = {
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
# Allowing entries: allow, allow an object, and both with a condition (Microsoft, "ACE Strings").
_ALLOWED = re.compile(r"\((?:A|OA|XA|ZA);[A-Z]*;([^;]*);[^;]*;[^;]*;([^;)]+)")
_FILE_READ_DATA = 0x1
_GENERIC_READ, _GENERIC_ALL = 0x80000000, 0x10000000
# Names of rights with the bit FILE_READ_DATA: of files, generic, of Windows registry keys, and the bit alone, called
# "create child" (Microsoft, "ACE Strings": a name stands for its bits for every kind of object).
_READING = ("FA", "FR", "GA", "GR", "KA", "KR", "KX", "CC")


def key_kind(path: Path) -> str:
    """Return the type of a private key without a passphrase.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not a private key, or has a passphrase.
    """
    data = path.read_bytes()
    if not data.lstrip().startswith(b"-----BEGIN"):
        what = "this is the public key" if data.startswith((b"ssh-", b"ecdsa-")) else "this is no private key"
        raise ValueError(what)
    return _kind_of(data)


def _kind_of(data: bytes) -> str:
    # Late imports: they save 70 ms of processor time where there is no key yet.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - see above

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
    """Return the readers besides the owner, by the file's mode."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return (f"group and others (mode {mode:04o})",) if mode & 0o077 else ()


def windows_readers(path: Path) -> tuple[str, ...]:
    """Return the readers besides account, system and administrators, by the access list.

    Raises:
        OSError: The access list cannot be read.
    """
    return sddl_readers(access_list(path), account_sid())


def sddl_readers(text: str, account: str) -> tuple[str, ...]:
    """Return the readers by an access list in SDDL, besides the account.

    Well-known groups have names such as `Everyone`, others their identifier. Denying entries are ignored, as OpenSSH
    ignores them. Without a discretionary list everyone may read.
    """
    lists = re.search(r"D:(.*)", text, re.DOTALL)
    if lists is None or "NO_ACCESS_CONTROL" in text:
        return ("Everyone: the file has no access list",)
    found = (reader for rights, reader in _ALLOWED.findall(lists[1]) if _may_read(rights))
    others = (reader for reader in found if reader not in _TRUSTED and reader != account)
    return tuple(dict.fromkeys(_GROUPS.get(reader, reader) for reader in others))


def _may_read(rights: str) -> bool:
    if rights.startswith("0x"):
        return bool(int(rights, 16) & (_FILE_READ_DATA | _GENERIC_READ | _GENERIC_ALL))
    return any(rights[index : index + 2] in _READING for index in range(0, len(rights), 2))
