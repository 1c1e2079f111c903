"""What the lab file expects of a seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.config import load_lab
from harness.config.plan import make_plan
from harness.guest.lab_keys import ensure_keys
from harness.seed.foreign.expected import expected_of, public_key

LAB = Path(__file__).parents[4] / "scenarios" / "lab.yaml"


def test_the_plan_of_a_machine() -> None:
    plan = make_plan(load_lab(LAB), LAB, overlay=None, run_id="r")
    expected = expected_of(plan, "k3s-worker1")
    assert str(expected.address) == "192.168.6.11/24"
    assert (expected.machine, expected.user, expected.iso_copy) == (
        "k3s-worker1",
        "ubuntu",
        "/var/lib/iso-copy-complete",
    )
    assert not expected.password_ssh


def test_the_public_key_comes_from_the_private_one(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path, [])
    assert keys.login_public.startswith(public_key(tmp_path / "ssh" / "id_ed25519"))
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (tmp_path / "rsa").write_bytes(pem)
    assert public_key(tmp_path / "rsa").startswith("ssh-rsa AAAA")


@pytest.mark.parametrize("content", [None, b"", b"no key", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_a_key_that_cannot_be_read_is_not_known(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    assert public_key(path) == ""
