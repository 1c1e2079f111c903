"""Login for pushing to the lab's registry: generated once per lab, in private files."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import bcrypt

from harness.airgap.registry_proxy import USER
from harness.core.secret import Secret
from harness.guest.lab_keys import write_private
from harness.system.ports import LOOPBACK

# The password has 256 random bits: the fewest rounds of bcrypt are enough, and each request costs them.
_ROUNDS = 4


@dataclass(frozen=True)
class RegistryLogin:
    """The password and its files.

    `client` is a `config.json` of Docker, podman, skopeo and crane.
    """

    password: Secret
    password_file: Path
    htpasswd: Path
    client: Path

    @property
    def header(self) -> str:
        """The value of `Authorization`."""
        return f"Basic {self._encoded}"

    @property
    def _encoded(self) -> str:
        return base64.b64encode(f"{USER}:{self.password.reveal()}".encode()).decode()

    def write_client(self, port: int) -> None:
        """Write the client's file for a registry at a loopback port."""
        text = json.dumps({"auths": {f"{LOOPBACK}:{port}": {"auth": self._encoded}}}, indent=1)
        write_private(self.client, f"{text}\n".encode())


def ensure_login(seed_directory: Path) -> RegistryLogin:
    """Return the login of the lab; generate it if there is none.

    Raises:
        OSError: A file cannot be read or written.
    """
    directory = seed_directory / "registry"
    file = directory / "password"
    if not file.exists():
        write_private(file, f"{secrets.token_urlsafe(32)}\n".encode())
    password = Secret(file.read_text(encoding="ascii").strip())
    login = RegistryLogin(password, file, directory / "htpasswd", directory / "config.json")
    Secret(login.header.partition(" ")[2])  # masked in every text, as the password is
    hashed = bcrypt.hashpw(password.reveal().encode(), bcrypt.gensalt(_ROUNDS)).decode()
    write_private(login.htpasswd, f"{USER}:{hashed}\n".encode())
    return login
