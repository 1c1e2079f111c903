"""The login for pushing to the registry."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import bcrypt
import pytest

from harness.airgap.registry_login import ensure_login
from harness.core.secret import redact


def test_a_lab_has_one_login_which_its_files_agree_on(tmp_path: Path) -> None:
    login = ensure_login(tmp_path)
    again = ensure_login(tmp_path)
    password = login.password.reveal()
    assert again.password.reveal() == password
    assert ensure_login(tmp_path / "other").password.reveal() != password
    user, _, hashed = login.htpasswd.read_text().strip().partition(":")
    assert bcrypt.checkpw(password.encode(), hashed.encode())
    login.write_client(40001)
    (entry,) = json.loads(login.client.read_text())["auths"].items()
    assert entry == ("127.0.0.1:40001", {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()})


@pytest.mark.skipif(os.name == "nt", reason="rights are access lists there")
def test_its_files_are_private(tmp_path: Path) -> None:
    login = ensure_login(tmp_path / "seeds")
    login.write_client(1)
    for file in (login.password_file, login.htpasswd, login.client):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(login.client.parent.stat().st_mode) == 0o700


def test_it_is_masked_in_every_text(tmp_path: Path) -> None:
    login = ensure_login(tmp_path)
    assert redact(f"{login.password.reveal()} {login.header} {login}").count("***") >= 3
    assert login.password.reveal() not in redact(f"{login.password.reveal()} {login.header}")
    assert login.header.partition(" ")[2] not in redact(login.header)
