"""`lab setup`: system packages, guest image and seed ISOs of the embedded hypervisor."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.airgap.registry_package import ensure_registry
from harness.cli.host_packages import ensure_packages, install_command, missing_packages
from harness.cli.options import lab_option, overlay_option, port, report_errors, say
from harness.cli.seed import build
from harness.config.embedded import load_embedded
from harness.core.errors import HostError
from harness.core.layout import cache_directory


@click.command()
@click.option("--with-deps", is_flag=True, help="Install missing system packages first.")
@click.option("--packages-only", is_flag=True, help="Stop after the system packages: no guest image, no seed ISOs.")
@lab_option
@overlay_option
@report_errors
def setup(lab_file: Path, overlay: str | None, with_deps: bool, packages_only: bool) -> None:  # noqa: FBT001  (click)
    """Prepare this host for the embedded hypervisor.

    Checks the system packages, then builds the guest image and the seed ISOs. What is up to date is kept.
    """
    spec = load_embedded(lab_file, overlay, platform=sys.platform)
    if with_deps:
        port(ensure_packages)(say)
        port(ensure_registry)(cache_directory(), say)
    missing = port(missing_packages)()
    if missing:
        raise HostError(
            f"system packages are missing: {', '.join(missing)}",
            remedy=f"run `lab setup --with-deps`, or install them: {' '.join(install_command(missing))}",
        )
    if not packages_only:
        port(build)(spec, lab_file, say)
