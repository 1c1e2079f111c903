"""Build the guest's file tree from distribution packages with mmdebstrap."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HostError
from harness.image import apt_sources
from harness.image.guest_files import overlay_tar
from harness.image.package_names import check_packages
from harness.image.path_filters import path_filters
from harness.image.spec import GUEST_PACKAGES, ImageSpec
from harness.system.process import Completed, run

# `usrmerge` would bring perl, 50 MB that nothing in the guest uses; the tree is merged from its start.
_WITHOUT_PERL = (
    'mkdir -p "$1/etc/apt/preferences.d" && '
    'printf "Package: usrmerge\\nPin: release *\\nPin-Priority: -1\\n" > "$1/etc/apt/preferences.d/lab"'
)
# Without these libraries cloud-init skips its schema check, and each of its four stages starts a third faster.
_UNUSED = ("/usr/lib/python3/dist-packages/jsonschema", "/usr/lib/python3/dist-packages/pyrsistent")


# On SIGTERM mmdebstrap removes its incomplete tree, which takes a while.
_GRACE_S = 30.0


@dataclass(frozen=True)
class BuildDirectory:
    """Files of one build, all below `directory`, which is deleted afterwards."""

    directory: Path

    @property
    def tree_tar(self) -> Path:
        """The guest's tree as mmdebstrap writes it."""
        return self.directory / "tree.tar"

    @property
    def overlay(self) -> Path:
        """The files that the image adds."""
        return self.directory / "overlay.tar"

    @property
    def sources(self) -> Path:
        """The sources.list of the build."""
        return self.directory / "sources.list"

    @property
    def debs(self) -> Path:
        """The downloaded packages of the offline repository."""
        return self.directory / "debs"


def _hooks(spec: ImageSpec, build: BuildDirectory) -> tuple[str, ...]:
    names = " ".join(shlex.quote(name) for name in spec.operations_packages)
    download = (
        'mkdir -p "$1/lab-packages/partial" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -q -y '
        '-o Dir::Cache::Archives="$1/lab-packages" -o APT::Sandbox::User=root '
        f"--no-install-recommends --download-only --reinstall install {names}"
    )
    return (
        download,
        'rm -rf "$1/lab-packages/partial" "$1/lab-packages/lock"',
        f"sync-out /lab-packages {shlex.quote(build.debs.as_posix())}",
        "rm -rf " + " ".join(f'"$1{path}"' for path in _UNUSED),
        'rm -rf "$1/lab-packages" "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*',
        f"tar-in {shlex.quote(build.overlay.as_posix())} /",
    )


def mmdebstrap_argv(spec: ImageSpec, build: BuildDirectory, proxies: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that builds the tree."""
    include = ",".join((*GUEST_PACKAGES, spec.kernel))
    options = [f"--dpkgopt={option}" for option in path_filters()]
    options += [f"--aptopt={option}" for option in ('Acquire::Languages "none"', *proxies)]
    options += [f"--setup-hook={_WITHOUT_PERL}", "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"]
    options += [f"--customize-hook={hook}" for hook in _hooks(spec, build)]
    return (
        "mmdebstrap", "--variant=minbase", "--architectures=amd64", "--format=tar", f"--include={include}",
        *options, spec.suite, build.tree_tar.as_posix(), build.sources.as_posix(),
    )  # fmt: skip


def _temporary(build: BuildDirectory) -> dict[str, str]:
    """Return the setting that puts mmdebstrap's tree into the build directory.

    Without root, mmdebstrap is a user of a namespace and cannot enter this user's directories.
    """
    return {"TMPDIR": str(build.directory)} if hasattr(os, "geteuid") and os.geteuid() == 0 else {}


def bootstrap(
    spec: ImageSpec, build: BuildDirectory, say: Callable[[str], None], run: Callable[..., Completed] = run
) -> None:
    """Create the guest's tree `tree_tar` and the offline packages `debs`.

    Raises:
        HostError: The host's sources lack the suite, or mmdebstrap failed; the error shows its output.
        UnknownPackages: The sources lack a package of the lab file.
    """
    build.sources.write_text(apt_sources.host_sources(spec.distribution, spec.suite, run), encoding="utf-8")
    proxies = apt_sources.proxy_options(run)
    release = f"{spec.distribution} {spec.suite}"
    check_packages(spec.operations_packages, build.sources, release, proxies, run)
    build.overlay.write_bytes(overlay_tar())
    build.debs.mkdir()
    argv = mmdebstrap_argv(spec, build, proxies)
    say(f"building the guest of {spec.distribution} {spec.suite} packages (mmdebstrap, about two minutes)")
    done = run(argv, timeout_s=1800, env={"LC_ALL": "C.UTF-8", **_temporary(build)}, grace_s=_GRACE_S)
    if done.returncode != 0:
        raise HostError(
            f"mmdebstrap could not build the guest (exit {done.returncode})",
            where=spec.suite,
            detail="\n".join(done.output.strip().splitlines()[-15:]),
            remedy="check that the host's package sources answer (`apt-get update`) and that 3 GB are free; "
            "without root, that user namespaces are allowed and /etc/subuid has a line for this user",
        )
    say(f"guest tree built in {done.duration_s:.0f} s")
