"""The lab's registry program: the distribution's package, unpacked into the cache and not installed.

Installed, it would be a service of this host that listens on all of its addresses from that moment on.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.core.errors import HarnessError, HostError
from harness.core.files import host_error_from
from harness.system.process import run

PACKAGE = "docker-registry"
_TREE = f"{PACKAGE}-unpacked"
_DOWNLOAD_S = 600.0
_UNPACK_S = 120.0


def program_in(cache: Path) -> Path:
    """Return where the program is once it is unpacked."""
    return cache / _TREE / "usr/bin" / PACKAGE


def find_program(cache: Path) -> Path | None:
    """Return the program: the host's own, or the unpacked one; None where there is neither."""
    installed = shutil.which(PACKAGE)
    if installed:
        return Path(installed)
    unpacked = program_in(cache)
    return unpacked if unpacked.is_file() else None


def ensure_registry(cache: Path, say: Callable[[str], None]) -> None:
    """Have the program on this host; where its sources do not offer it, say what cannot be proven then.

    The lab runs without it: the air gap is not proven then.
    """
    if find_program(cache) is not None:
        return
    say(f"running: apt-get download {PACKAGE}, unpacked below {cache} (a registry for the guests; not installed)")
    try:
        _unpack(cache)
    except (HarnessError, OSError) as error:
        known = host_error_from(error) or error
        say("no registry, so the air gap will not be proven: " + str(known).split("\n", 1)[0])


def _unpack(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="registry-", dir=cache) as name:
        place = Path(name)
        # apt's sandbox user cannot write here, and apt says so on the way.
        _demand(("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", PACKAGE), place, _DOWNLOAD_S)
        packages = sorted(place.glob("*.deb"))
        if len(packages) != 1:
            raise HostError(f"apt-get left {len(packages)} packages", remedy=f"install {PACKAGE} by hand")
        _demand(("dpkg-deb", "-x", packages[0].name, "tree"), place, _UNPACK_S)
        target = cache / _TREE
        if os.path.lexists(target):
            raise HostError("is there and has no such program in it", where=str(target), remedy="move it away")
        (place / "tree").rename(target)


def _demand(argv: tuple[str, ...], directory: Path, timeout_s: float) -> None:
    done = run(argv, timeout_s=timeout_s, cwd=directory)
    if done.returncode != 0:
        last = (done.output.strip().splitlines() or ["nothing was said"])[-1]
        raise HostError(f"{argv[0]} failed: {last}", remedy=f"install {PACKAGE} by hand")
