"""The system packages of the embedded lab: which are missing, and installing them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence

from harness.core.errors import HostError
from harness.system.process import Completed, run

# Debian and Ubuntu names, and what each is for. The guest's own boot loader and busybox come with its image.
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


def missing_packages(wanted: Sequence[str] = PACKAGES) -> tuple[str, ...]:
    """Return which of these packages are not installed.

    Raises:
        HostError: The host has no dpkg.
    """
    if shutil.which("dpkg-query") is None:
        raise HostError(
            "this host has no dpkg, so its packages cannot be looked up",
            remedy="use Debian 12 or Ubuntu 24.04 for the embedded lab, or VMware Workstation with "
            "seed ISOs built elsewhere",
        )
    return tuple(name for name in wanted if not _is_installed(name))


def _is_installed(name: str) -> bool:
    answer = run(("dpkg-query", "-W", "-f", "${Status}", name), timeout_s=60)
    return answer.returncode == 0 and answer.stdout.strip() == _INSTALLED


def install_command(missing: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that installs these packages, as root."""
    return ("apt-get", "install", "-y", "--no-install-recommends", *missing)


def ensure_packages(say: Callable[[str], None], wanted: Sequence[str] = PACKAGES) -> None:
    """Leave each of these packages installed; tells what it runs before it runs it.

    Raises:
        HostError: There is no dpkg, no right to install, or apt failed.
    """
    missing = missing_packages(wanted)
    if not missing:
        say("system packages: nothing to do")
        return
    prefix = _privilege(missing)
    for command in (("apt-get", "update"), install_command(missing)):
        words = (*prefix, *command)
        say("running: " + " ".join(words))
        _demand(run(words, timeout_s=_INSTALL_LIMIT_S, env={"DEBIAN_FRONTEND": "noninteractive"}))
    left = missing_packages(wanted)
    if left:
        raise HostError(
            f"still missing after the installation: {', '.join(left)}",
            remedy="run it by hand: " + " ".join(install_command(left)),
        )
    say(f"system packages: installed {', '.join(missing)}")


def _privilege(missing: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words in front of a command that needs root: none, or sudo that asks for no password."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return ()
    if shutil.which("sudo") and run(("sudo", "-n", "true"), timeout_s=30).returncode == 0:
        return ("sudo", "-n", "DEBIAN_FRONTEND=noninteractive")
    command = " ".join(install_command(missing))
    raise HostError(
        f"no right to install system packages: {', '.join(missing)}",
        said="not root, and sudo without a password is not allowed",
        remedy=f"let an administrator run: apt-get update && {command}",
    )


def _demand(done: Completed) -> None:
    if done.returncode != 0:
        raise HostError(
            f"{' '.join(done.argv)} failed (exit {done.returncode})",
            said="\n".join(done.output.strip().splitlines()[-15:]),
            remedy="check the host's package sources and the free disk space, then run `lab setup --with-deps` again",
        )
