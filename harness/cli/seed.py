"""`lab seed`: guest image, keys, and one seed ISO per machine.

All are built from the lab file.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import click

from harness.cli.options import lab_option, overlay_option, port, report_errors, say
from harness.cli.seed_check import check_iso
from harness.config.embedded import load_embedded
from harness.config.loader import load_lab, read
from harness.config.model import UBUNTU_INSTALLER, LabSpec, Role, SeedSource, host_path
from harness.config.secret_reference import resolve
from harness.core.errors import UsageError
from harness.core.layout import cache_directory
from harness.guest.cluster_token import ensure_token
from harness.guest.lab_keys import LabKeys, ensure_keys
from harness.image.build import build_image
from harness.image.package_names import UnknownPackages
from harness.image.package_repository import DebPackage, read_package
from harness.image.release import Release, guest_release, os_release
from harness.image.spec import GuestImage, ImageSpec
from harness.ownership.lab_lock import lab_lock
from harness.payload.collect import PACKAGES, CollectedFile, collect_payload
from harness.seed.build import build_seeds
from harness.seed.k3s_node import K3S_PACKAGES
from harness.seed.model import K3sCluster, RegistryLogin, SeedSpec
from harness.seed.ubuntu.data_iso import build_data_isos
from harness.seed.ubuntu.installer_iso import make_installer_iso


@click.command()
@lab_option
@overlay_option
@click.option(
    "--check",
    "iso",
    metavar="ISO",
    type=click.Path(path_type=Path),
    help="Build nothing; check an ISO, such as one that was made from Ubuntu's. Exits with 1 if it cannot work.",
)
@report_errors
def seed(lab_file: Path, overlay: str | None, iso: Path | None) -> None:
    """Build the seed ISOs: the lab's own, or from Ubuntu's ISO.

    What is up to date is kept.
    """
    if iso is not None:
        if not check_iso(load_lab(lab_file, overlay), lab_file, iso, say, datetime.now(UTC)):
            sys.exit(1)
        return
    port(build)(_lab(lab_file, overlay), lab_file, say)


def _lab(lab_file: Path, overlay: str | None) -> LabSpec:
    """Return the lab whose seeds are built.

    It is the one of the embedded hypervisor, if the lab's own seeds are not made of Ubuntu's ISO.
    """
    if overlay is None and load_lab(lab_file).seeds.source is SeedSource.UBUNTU:
        return load_lab(lab_file, platform=sys.platform)
    return load_embedded(lab_file, overlay, platform=sys.platform)


def build(
    spec: LabSpec,
    lab_file: Path,
    say: Callable[[str], None],
    *,
    make_image: Callable[[ImageSpec, Path, Callable[[str], None]], GuestImage] = build_image,
    make_isos: Callable[[list[SeedSpec], GuestImage, Path, Callable[[str], None]], list[Path]] = build_seeds,
) -> list[Path]:
    """Build the seed ISOs of the lab.

    The image, keys and ISOs that are up to date are kept.

    Args:
        spec: The lab.
        lab_file: Its file; relative paths start at its directory.
        say: Receives a line per step.
        make_image: Builds the guest image.
        make_isos: Builds the ISOs of an image.

    Returns:
        The ISOs.

    Raises:
        UsageError: The lab file says that the seed ISOs are provided, or names a package that does not exist.
        HostError: The image cannot be built.
        SeedError: An ISO or a key cannot be written, or a foreign file is in its place.
        LabBusyError: A session works on the lab.
    """
    if spec.seeds.source is SeedSource.PROVIDED:
        raise UsageError(
            "the seed ISOs of this lab are provided, not built",
            where=str(lab_file),
            remedy="use them as they are, or set `seeds: {source: built}`",
        )
    if spec.seeds.source is SeedSource.UBUNTU:
        return _build_of_ubuntu(spec, lab_file, say)
    release = guest_release(spec.seeds, os_release())
    say(f"guests: {release}")
    base = lab_file.resolve().parent
    brought = _brought(spec, lab_file, say)
    try:
        image = make_image(image_spec(spec, release), cache_directory(), say)
    except UnknownPackages as error:
        error.where = _place(lab_file, error.names[0])
        raise
    directory = host_path(spec.seeds.directory, base)
    with lab_lock(host_path(spec.vm_directory, base), spec.name, say):  # A session reads the seed ISOs.
        return make_isos(_inputs(spec, directory, brought), image, directory, say)


def _build_of_ubuntu(spec: LabSpec, lab_file: Path, say: Callable[[str], None]) -> list[Path]:
    """Make one installer ISO of Ubuntu's, and a data ISO for each machine.

    Raises:
        UsageError: A file is missing or another one than the lab file says, or a package has no file.
    """
    base = lab_file.resolve().parent
    brought = _brought(spec, lab_file, say)
    _require_packages(spec, lab_file, brought["packages"])
    directory = host_path(spec.seeds.directory, base)
    with lab_lock(host_path(spec.vm_directory, base), spec.name, say):
        source = host_path(str(spec.seeds.iso), base)
        make_installer_iso(source, str(spec.seeds.sha256), directory / UBUNTU_INSTALLER, say)
        return build_data_isos(_inputs(spec, directory, brought), directory, say)


def _require_packages(spec: LabSpec, lab_file: Path, packages: tuple[DebPackage, ...]) -> None:
    known = {name for package in packages for name in package.names}
    missing = [name for name in spec.guest.packages if name not in known]
    if missing:
        raise UsageError(
            f"no file of payload.packages is the package {', '.join(missing)} (guest.packages)",
            where=_place(lab_file, missing[0]),
            remedy="download the .deb files for the guest's release, with those they need, and name them there",
        )


def _inputs(spec: LabSpec, directory: Path, brought: _Brought) -> list[SeedSpec]:
    """Return the inputs of all seeds; create the keys that are missing."""
    keys = ensure_keys(directory, list(spec.machines))
    cluster = k3s_cluster(spec, directory)
    return [replace(one, **brought, k3s=cluster) for one in seed_specs(spec, keys, build_time())]


def _place(lab_file: Path, word: str) -> str:
    """Return the line of the lab file that has a word, as `file:line`."""
    pattern = re.compile(rf"(?<![\w.+-]){re.escape(word)}(?![\w.+-])")
    lines = read(lab_file).splitlines()
    found = next((number for number, line in enumerate(lines, start=1) if pattern.search(line)), None)
    return f"{lab_file}:{found}" if found else str(lab_file)


class _Brought(TypedDict):
    """What the lab file brings into every seed."""

    payload: tuple[CollectedFile, ...]
    packages: tuple[DebPackage, ...]
    registry_login: RegistryLogin | None


def _brought(spec: LabSpec, lab_file: Path, say: Callable[[str], None]) -> _Brought:
    """Return what the lab file brings, before anything is built.

    Raises:
        UsageError: A file or a secret is missing, or is not what the lab file says.
        HostError: A download failed.
    """
    files = collect_payload(spec.payload, lab_file, cache_directory(), say)
    debs = [file for file in files if file.path.startswith(f"{PACKAGES}/")]
    login = spec.registry.login
    return {
        "payload": files,
        "packages": tuple(read_package(file.file, f"{lab_file}: payload.packages") for file in debs),
        "registry_login": RegistryLogin(login.user, resolve(login.password, lab_file.resolve().parent))
        if login
        else None,
    }


def k3s_cluster(spec: LabSpec, directory: Path) -> K3sCluster | None:
    """Return the cluster of a lab with k3s in its payload."""
    if spec.payload is None or spec.payload.k3s is None:
        return None
    master = next(machine for machine in spec.machines.values() if machine.role is Role.MASTER)
    return K3sCluster(ensure_token(directory), str(master.address), spec.payload.k3s.disable)


def image_spec(spec: LabSpec, release: Release) -> ImageSpec:
    """Return the inputs of the guest image for the lab.

    With k3s in the payload it brings further packages; without, it is the same as ever.
    """
    further = K3S_PACKAGES if spec.payload and spec.payload.k3s else ()
    return ImageSpec(
        distribution=release.distribution,
        suite=release.suite,
        root_gib=spec.hardware.disk_gib - 1,
        operations_packages=tuple(dict.fromkeys((*spec.guest.packages, *further))),
    )


def seed_specs(spec: LabSpec, keys: LabKeys, timestamp: str) -> list[SeedSpec]:
    """Return the inputs of each machine's seed."""
    peers = tuple((name, str(machine.address)) for name, machine in spec.machines.items())
    return [
        SeedSpec(
            machine=name,
            role=machine.role,
            address=f"{machine.address}/{spec.network.subnet.prefixlen}",
            gateway=str(spec.network.gateway),
            dns=tuple(str(address) for address in spec.network.dns),
            ssh_public_key=keys.login_public,
            host_key=keys.host_keys[name],
            ca_certificate=keys.ca_certificate,
            registry=f"{spec.registry.address}:{spec.registry.port}",
            build_timestamp=timestamp,
            user=spec.ssh.user,
            timezone=spec.guest.timezone,
            peers=peers,
            kernel_modules=spec.guest.kernel_modules,
            sysctl=tuple(sorted(spec.guest.sysctl.items())),
            paths=spec.markers,
            ssh_port=spec.ssh.port,
            password_ssh=spec.guest.password_ssh,
            root_ssh=spec.guest.root_ssh,
            swap=spec.guest.swap,
            lab_ca=spec.guest.lab_ca,
            iso_name=machine.seed,
        )
        for name, machine in spec.machines.items()
    ]


def build_time() -> str:
    """Return the build time in UTC, in the form of RFC 3339.

    `SOURCE_DATE_EPOCH` (reproducible-builds.org) sets it.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch and epoch.isdigit() else datetime.now(UTC)
    return moment.isoformat(timespec="seconds")
