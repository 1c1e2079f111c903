"""Ask the guest's package sources whether packages exist, before minutes of building."""

from __future__ import annotations

import re
from pathlib import Path

from harness.core.errors import ConfigError
from harness.system.process import RunProgram, run

_UNKNOWN = re.compile(r"^E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate)", re.M)
_UPDATE_S, _QUESTION_S = 300, 60


class UnknownPackages(ConfigError):
    """Packages of the lab file that the guest's package sources do not have."""

    def __init__(self, names: tuple[str, ...], release: str) -> None:
        self.names = names
        super().__init__(
            f"{release} has no package {', '.join(names)}",
            where="guest.packages",
            remedy="correct the name in the lab file, or remove it; nothing was built",
        )


def check_packages(
    names: tuple[str, ...], sources: Path, release: str, proxies: tuple[str, ...] = (), run: RunProgram = run
) -> None:
    """Check that the sources have these packages; apt's files lie beside `sources`.

    Where apt cannot read the sources, the build itself reports why.

    Raises:
        UnknownPackages: They do not have all.
    """
    state = sources.with_name("apt")
    (state / "lists" / "partial").mkdir(parents=True)
    (state / "status").touch()
    settings = {
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    options += [word for line in proxies for word in ("-o", _option(line))]
    if run(("apt-get", *options, "-q", "update"), timeout_s=_UPDATE_S).returncode != 0:
        return
    asked = run(("apt-get", *options, "-q", "-s", "--no-install-recommends", "install", *names), timeout_s=_QUESTION_S)
    unknown = tuple(dict.fromkeys(match[1] or match[2] for match in _UNKNOWN.finditer(asked.output)))
    if unknown:
        raise UnknownPackages(unknown, release)


def _option(line: str) -> str:
    """Return a line as apt-config prints it in the form of an option."""
    key, _, value = line.partition(" ")
    return f"{key}={value.strip().strip(chr(34))}"
