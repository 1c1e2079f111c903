"""System packages of the embedded hypervisor: find and install missing ones.

They are installed by apt.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.core.errors import HostError
from harness.system import process
from harness.system.process import Completed, RunProgram
from harness.system.programs import find_program

# Names in Debian and Ubuntu, and the purpose of each. The guest's own boot loader and busybox come with its image.
PACKAGES = (
    "qemu-system-x86",  # the hypervisor
    "qemu-utils",  # virtual disks
    "mmdebstrap",  # the guest's file tree
    "e2fsprogs",  # its file system
    "fakeroot",  # its owners and modes, where the build does not run as root
    "uidmap",  # user namespaces, likewise
    "zstd",  # the drivers of an Ubuntu guest
)
_INSTALLED = "install ok installed"
_INSTALL_LIMIT_S = 1800.0


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@dataclass(frozen=True)
class PackageSystem:
    """The functions by which the packages of a host are read and installed."""

    run: RunProgram = process.run
    which: Callable[[str], str | None] = find_program
    is_root: Callable[[], bool] = _is_root


THIS_HOST = PackageSystem()


def missing_packages(wanted: Sequence[str] = PACKAGES, system: PackageSystem = THIS_HOST) -> tuple[str, ...]:
    """Return which of these packages are not installed.

    Raises:
        HostError: The host has no dpkg.
    """
    if system.which("dpkg-query") is None:
        raise HostError(
            "the installed packages cannot be read: this host has no dpkg",
            remedy="use Debian 12 or Ubuntu 24.04 for the embedded hypervisor, or VMware Workstation with "
            "seed ISOs built on another host",
        )
    return tuple(name for name in wanted if not _is_installed(name, system))


def _is_installed(name: str, system: PackageSystem) -> bool:
    answer = system.run(("dpkg-query", "-W", "-f", "${Status}", name), timeout_s=60)
    return answer.returncode == 0 and answer.stdout.strip() == _INSTALLED


def install_command(missing: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that installs these packages, as root."""
    return ("apt-get", "install", "-y", "--no-install-recommends", *missing)


def ensure_packages(
    say: Callable[[str], None], wanted: Sequence[str] = PACKAGES, system: PackageSystem = THIS_HOST
) -> None:
    """Install the missing ones of these packages; report each command before it runs.

    Raises:
        HostError: There is no dpkg, no right to install, or apt failed.
    """
    missing = missing_packages(wanted, system)
    if not missing:
        say("system packages: nothing to do")
        return
    prefix = _privilege(missing, system)
    for command in (("apt-get", "update"), install_command(missing)):
        words = (*prefix, *command)
        say("running: " + " ".join(words))
        _check(system.run(words, timeout_s=_INSTALL_LIMIT_S, env={"DEBIAN_FRONTEND": "noninteractive"}))
    left = missing_packages(wanted, system)
    if left:
        raise HostError(
            f"still missing after the installation: {', '.join(left)}",
            remedy="run as root: " + " ".join(install_command(left)),
        )
    say(f"system packages: installed {', '.join(missing)}")


def _privilege(missing: tuple[str, ...], system: PackageSystem) -> tuple[str, ...]:
    """Return the prefix of a command that needs root.

    It is nothing, or sudo without a password.
    """
    if system.is_root():
        return ()
    if system.which("sudo") and system.run(("sudo", "-n", "true"), timeout_s=30).returncode == 0:
        return ("sudo", "-n", "DEBIAN_FRONTEND=noninteractive")
    command = " ".join(install_command(missing))
    raise HostError(
        f"no right to install system packages: {', '.join(missing)}",
        detail="this user is not root, and sudo needs a password",
        remedy=f"run as root: apt-get update && {command}",
    )


def _check(done: Completed) -> None:
    if done.returncode != 0:
        raise HostError(
            f"{' '.join(done.argv)} failed (exit {done.returncode})",
            detail="\n".join(done.output.strip().splitlines()[-15:]),
            remedy="check the host's package sources and the free disk space, then run `lab setup --with-deps` again",
        )
