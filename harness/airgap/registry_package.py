"""The registry program: the distribution's package, unpacked into the cache.

It is not installed, because then it would run as a daemon of this host that listens on all of its addresses.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from harness.core.errors import HarnessError, HostError
from harness.core.files import host_error_from
from harness.core.temporary_files import temporary_directory
from harness.system import programs
from harness.system.process import Completed, run
from harness.system.trust import require_trusted

PACKAGE = "docker-registry"
_TREE = f"{PACKAGE}-unpacked"
_DOWNLOAD_S = 600.0
_UNPACK_S = 120.0


def program_in(cache: Path) -> Path:
    """Return the path of the unpacked program."""
    return cache / _TREE / "usr/bin" / PACKAGE


def find_program(cache: Path) -> Path | None:
    """Return the host's own program or the unpacked one, or None.

    Raises:
        HostError: Another user owns the unpacked one, or may write it.
    """
    installed = programs.find_program(PACKAGE)
    if installed:
        return Path(installed)
    unpacked = program_in(cache)
    if not unpacked.is_file():
        return None
    require_trusted(unpacked, cache)
    return unpacked


def ensure_registry(cache: Path, say: Callable[[str], None], run: Callable[..., Completed] = run) -> None:
    """Download and unpack the program unless this host has it.

    Report a failure.

    The lab runs without it, but the air gap is not proven then.
    """
    if find_program(cache) is not None:
        return
    say(f"running: apt-get download {PACKAGE}, unpacked below {cache} (a registry for the guests; not installed)")
    try:
        _unpack(cache, run)
    except (HarnessError, OSError) as error:
        problem = host_error_from(error) or error
        say("no registry, so the air gap will not be proven: " + str(problem).split("\n", 1)[0])


def _unpack(cache: Path, run: Callable[..., Completed]) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    with temporary_directory(cache, "registry-") as directory:
        # Without this option apt warns that its sandbox user cannot write here.
        _run_checked(
            run, ("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", PACKAGE), directory, _DOWNLOAD_S
        )
        packages = sorted(directory.glob("*.deb"))
        if len(packages) != 1:
            raise HostError(f"apt-get downloaded {len(packages)} packages", remedy=f"install {PACKAGE} by hand")
        _run_checked(run, ("dpkg-deb", "-x", packages[0].name, "tree"), directory, _UNPACK_S)
        target = cache / _TREE
        if os.path.lexists(target):
            raise HostError("exists without the registry program", where=str(target), remedy="move it away")
        (directory / "tree").rename(target)


def _run_checked(run: Callable[..., Completed], argv: tuple[str, ...], directory: Path, timeout_s: float) -> None:
    done = run(argv, timeout_s=timeout_s, cwd=directory)
    if done.returncode != 0:
        last = (done.output.strip().splitlines() or ["no output"])[-1]
        raise HostError(f"{argv[0]} failed: {last}", remedy=f"install {PACKAGE} by hand")
