from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from needs import posix_modes

from harness.preflight.facts import observe
from harness.preflight.ssh_key import key_kind, posix_readers, sddl_readers, windows_readers

OPENSSH = serialization.PrivateFormat.OpenSSH
PKCS8 = serialization.PrivateFormat.PKCS8


def write(
    path: Path, key: PrivateKeyTypes, form: serialization.PrivateFormat = OPENSSH, passphrase: bytes = b""
) -> Path:
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, lock))
    return path


def test_keys_that_ssh_can_use(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert key_kind(write(path, ed25519.Ed25519PrivateKey.generate())) == "ssh-ed25519"
    assert key_kind(write(path, rsa.generate_private_key(65537, 2048), PKCS8)) == "ssh-rsa (2048 bits)"
    assert key_kind(write(path, ec.generate_private_key(ec.SECP256R1()))) == "ecdsa (secp256r1)"


@pytest.mark.parametrize("form", [OPENSSH, PKCS8])
def test_a_passphrase_has_its_own_message(tmp_path: Path, form: serialization.PrivateFormat) -> None:
    path = write(tmp_path / "key", ed25519.Ed25519PrivateKey.generate(), form, b"geheim")
    with pytest.raises(ValueError, match="passphrase"):
        key_kind(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"ssh-ed25519 AAAA me@host\n", "public key"),
        (b"", "no private key"),
        (b"\xff\xfe\0", "no private key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "cannot be loaded"),
    ],
)
def test_files_that_are_no_key(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        key_kind(tmp_path / "key")


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no use"):
        key_kind(write(tmp_path / "key", x25519.X25519PrivateKey.generate(), PKCS8))
    assert observe(lambda: key_kind(tmp_path / "absent")).missing


@posix_modes
@pytest.mark.parametrize(("mode", "open_to"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o644, 1)])
def test_posix_modes(tmp_path: Path, mode: int, open_to: int) -> None:
    path = tmp_path / "key"
    path.write_text("x", encoding="utf-8")
    path.chmod(mode)
    assert len(posix_readers(path)) == open_to


ME = "S-1-5-21-1-2-3-1001"
OTHER = "S-1-5-21-1-2-3-1002"
OWNER = f"(A;;FA;;;{ME})(A;;FA;;;SY)(A;;FA;;;BA)"


@pytest.mark.parametrize(
    ("sddl", "readers"),
    [
        (f"key\r\nD:PAI{OWNER}\r\n", ()),
        (f"D:P{OWNER}(A;;FA;;;OW)(A;;FA;;;LA)", ()),
        ("D:P", ()),
        (f"key\r\nD:AI{OWNER}(A;ID;0x1200a9;;;BU)\r\n", ("Users",)),
        (f"key\r\nD:{OWNER}(A;ID;FR;;;WD)(A;ID;FA;;;AU)\r\n", ("Everyone", "Authenticated Users")),
        (f"key\r\nD:{OWNER}(A;ID;FA;;;S-1-1-0)\r\n", ("Everyone",)),
        (f"key\r\nD:{OWNER}(D;;FR;;;WD)\r\n", ()),
        (f"key\r\nD:{OWNER}(A;;0x100000;;;BU)\r\n", ()),
        (f"key\r\nD:{OWNER}(A;;WDFR;;;BU)\r\n", ("Users",)),
        (f"key\r\nO:BAG:SYD:PAI{OWNER}S:AI(AU;SAFA;FA;;;WD)\r\n", ()),
        (f"D:PAI{OWNER}(A;;FR;;;{OTHER})", (OTHER,)),
        (f"D:PAI{OWNER}(A;ID;0x1200a9;;;{OTHER})(A;;FR;;;{OTHER})", (OTHER,)),
        (f"D:PAI{OWNER}(A;;FA;;;DA)", ("DA",)),
        (f"D:PAI{OWNER}(A;;CCSWLO;;;{OTHER})", (OTHER,)),
        (f"D:PAI{OWNER}(A;;0x80000000;;;S-1-15-2-1)", ("S-1-15-2-1",)),
        (f'D:PAI(XA;;FR;;;{OTHER};(@User.Title=="PM (all)")){OWNER}(A;;FR;;;BU)', (OTHER, "Users")),
    ],
)
def test_windows_access_lists(sddl: str, readers: tuple[str, ...]) -> None:
    assert sddl_readers(sddl, ME) == readers


@pytest.mark.parametrize("sddl", ["", "key\r\n", "D:NO_ACCESS_CONTROL", "O:BAD:NO_ACCESS_CONTROL"])
def test_without_an_access_list_everybody_may_read(sddl: str) -> None:
    assert sddl_readers(sddl, ME) == ("Everyone: the file has no access list",)


def test_only_windows_has_access_lists() -> None:
    problem = observe(lambda: windows_readers(Path("id_rsa"))).problem
    assert problem == ("id_rsa does not exist" if sys.platform == "win32" else "only Windows has access lists")
