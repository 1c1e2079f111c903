"""References to secrets.

A lab file names the place of a secret, never the secret itself.

env:NAME               a variable of the environment
file:PATH              the first line of a file; a relative path begins at the lab file
keyring:SERVICE/USER   the password store of the system: Windows' Credential Manager, a keychain, a secret service
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.secret import SHORTEST, Secret

PATTERN = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:[^/]+/.+)$"
_REFERENCE = re.compile(PATTERN)
_FORMS = "env:NAME, file:PATH or keyring:SERVICE/USER"


def check_reference(value: object) -> str:
    """Return the reference as it is.

    Raises:
        ValueError: It is not a reference. The text does not repeat it, because it may be the secret itself.
    """
    if not isinstance(value, str) or not _REFERENCE.match(value):
        raise ValueError(f"expected a reference to a secret, not the secret: {_FORMS}")
    return value


def resolve(reference: str, base: Path, environ: Mapping[str, str] = os.environ) -> Secret:
    """Return the secret of a reference.

    From now on its value is masked in every redacted text.

    Args:
        reference: As in the lab file.
        base: The directory of the lab file.
        environ: The environment.

    Raises:
        UsageError: There is no secret, or one that is empty or too short.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = environ.get(place)
        remedy = f"set the variable {place}"
    elif kind == "file":
        value = _from_file(base / Path(place).expanduser())
        remedy = "write the secret into the first line of the file, readable by this user only"
    else:
        value = _from_keyring(place)
        remedy = f"store it: keyring set {place.replace('/', ' ', 1)}"
    if not value:
        raise UsageError("no secret at this place", where=reference, remedy=remedy)
    if len(value) < SHORTEST:
        raise UsageError(
            f"a secret of fewer than {SHORTEST} characters cannot be masked in the results",
            where=reference,
            remedy="choose a longer password for the account, and store that",
        )
    return Secret(value)


def _from_file(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(
            f"the file of a secret cannot be read: {reason}", where=str(path), remedy="check the path in the lab file"
        ) from None
    return text.partition("\n")[0].rstrip("\r")


def _from_keyring(place: str) -> str:
    service, _, user = place.partition("/")
    try:
        keyring = importlib.import_module("keyring")
    except ImportError as error:
        raise UsageError(
            "the package keyring is not installed",
            where=f"keyring:{place}",
            remedy="pip install 'airgap-lab-harness[keyring]', or use env: or file:",
        ) from error
    try:
        return keyring.get_password(service, user) or ""
    except Exception as error:
        raise UsageError(
            f"the password store of this system gives nothing: {error}",
            where=f"keyring:{place}",
            remedy="use env: or file: where there is no store, as for a service account or without a desktop",
        ) from error
