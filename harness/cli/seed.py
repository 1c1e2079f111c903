"""From the lab file to the seed ISOs of the embedded lab: image, keys, one ISO per machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from harness.config import LabSpec, SeedSource
from harness.config.model import host_path
from harness.core.errors import UsageError
from harness.core.layout import cache_directory
from harness.guest.lab_keys import LabKeys, ensure_keys
from harness.image.build import build_image
from harness.image.release import Release, guest_release, os_release
from harness.image.spec import ImageSpec
from harness.ownership.lab_lock import lab_lock
from harness.seed.build import build_seeds
from harness.seed.model import SeedSpec


def build(spec: LabSpec, lab_file: Path, say: Callable[[str], None]) -> list[Path]:
    """Return the seed ISOs of the lab; image, keys and ISOs that are up to date are kept.

    Raises:
        UsageError: The lab file says that somebody else provides the seeds.
        HostError: The image cannot be built.
        SeedError: An ISO or a key cannot be written, or somebody else's file is in its place.
        LabBusyError: A session works on the lab.
    """
    if spec.seeds.source is not SeedSource.BUILT:
        raise UsageError(
            "the seeds of this lab are provided by somebody else",
            where=str(lab_file),
            remedy="use them as they are, or set `seeds: {source: built}`",
        )
    release = guest_release(spec.seeds, os_release())
    say(f"guests: {release}")
    image = build_image(image_spec(spec, release), cache_directory(), say)
    base = lab_file.resolve().parent
    directory = host_path(spec.seeds.directory, base)
    with lab_lock(host_path(spec.vm_directory, base), spec.name, say):  # a session reads them
        keys = ensure_keys(directory, list(spec.machines))
        return build_seeds(seed_specs(spec, keys, build_time()), image, directory, say)


def image_spec(spec: LabSpec, release: Release) -> ImageSpec:
    """Return the inputs of the guest image for that lab."""
    return ImageSpec(
        distribution=release.distribution,
        suite=release.suite,
        root_gib=spec.hardware.disk_gib - 1,
        operations_packages=spec.guest.packages,
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
    """Return the build time in UTC, RFC 3339; `SOURCE_DATE_EPOCH` (reproducible-builds.org) makes it a given one."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch and epoch.isdigit() else datetime.now(UTC)
    return moment.isoformat(timespec="seconds")
