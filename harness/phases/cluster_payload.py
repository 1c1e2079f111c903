"""What the payload promises of the cluster: version, images, and an image to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.airgap.archived_image import busybox_of
from harness.airgap.registry_image import digest
from harness.cluster.workload import Workload
from harness.config.plan import LabPlan
from harness.core.errors import HarnessError
from harness.core.layout import cache_directory
from harness.payload.collect import IMAGES, K3S, host_file, payload_sources
from harness.payload.image_archive import ArchiveError, image_names
from harness.payload.k3s_binary import k3s_version

if TYPE_CHECKING:
    from harness.machine.machine import Machine

_REPOSITORY = "lab/cluster-probe"


@dataclass(frozen=True)
class Runnable:
    """An image that pods of this run can use.

    Attributes:
        workload: The objects that use it.
        digest: What was pushed to the lab's registry; empty if nothing was.
        missing: Why nothing was.
    """

    workload: Workload
    digest: str = ""
    missing: str = ""


def _files(plan: LabPlan, folder: str) -> Iterator[Path]:
    """Yield the files of the payload in that folder, on this host."""
    for source in payload_sources(plan.spec.payload):
        if source.path == folder or source.path.startswith(f"{folder}/"):
            yield host_file(source, plan.lab_file, cache_directory())


def version_of(plan: LabPlan) -> str:
    """Return the version of the payload's k3s; empty if it is not known."""
    try:
        return next((k3s_version(path) for path in _files(plan, K3S)), "")
    except (OSError, ValueError):
        return ""


def images_of(plan: LabPlan) -> frozenset[str] | str | None:
    """Return the names in the payload's image archives.

    Returns:
        None where the lab file names no archive; a text where one cannot be read.
    """
    names: set[str] = set()
    known = list(_files(plan, IMAGES))
    for path in known:
        try:
            found = image_names(path)
        except (ArchiveError, OSError) as error:
            return f"{path.name}: {error}"
        if found is None:
            return f"this Python cannot read the compression of {path.name}"
        names |= set(found)
    return frozenset(names) if known else None


def runnable_of(master: Machine) -> Runnable | None:
    """Push an image for pods to the registry of the lab.

    Returns:
        None if no archive has one.
    """
    context = master.context
    lab, run_id = context.plan.spec.name, context.run_id
    found = next(filter(None, (busybox_of(path, run_id) for path in _files(context.plan, IMAGES))), None)
    if found is None:
        return None
    try:
        name = context.gateway.push(_REPOSITORY, run_id, found.image)
    except HarnessError as error:
        return Runnable(Workload(lab, run_id, found.name, always=False, busybox=found.path), missing=error.what)
    workload = Workload(lab, run_id, name, always=True, busybox=found.path)
    return Runnable(workload, digest(found.image.manifest))
