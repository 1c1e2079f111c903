"""Token by which nodes join the cluster of a lab."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from harness.core.errors import SeedError
from harness.core.secret import Secret
from harness.guest.lab_keys import write_private

_TOKEN = re.compile(r"[\x21-\x7e]{16,1000}")


def token_file(directory: Path) -> Path:
    """Return where the token of a lab is, below its seed directory."""
    return directory / "k3s" / "token"


def ensure_token(directory: Path) -> Secret:
    """Return the token below the seed directory; generate a missing one.

    Raises:
        SeedError: The file does not hold a token.
    """
    path = token_file(directory)
    if not path.exists():
        write_private(path, f"{secrets.token_hex(32)}\n".encode("ascii"))
    found = read_token(directory)
    if found is None:
        raise SeedError("does not hold a token", where=str(path), remedy="delete it and run `lab seed` again")
    return found


def read_token(directory: Path) -> Secret | None:
    """Return the token, from now on masked in every text, or None."""
    try:
        text = token_file(directory).read_bytes().decode("ascii").strip()
    except (OSError, ValueError):
        return None
    return Secret(text) if _TOKEN.fullmatch(text) else None
