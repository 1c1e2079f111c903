"""Digests of what a machine is built from. Pure.

When one of them changes, what an earlier run proved about the machine no longer holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.config import LabSpec
from harness.config.plan import MachinePlan
from harness.config.vmx_template import CD_CONNECTED, CHANGED_BY_PHASES
from harness.core.errors import HostError
from harness.seed.model import IsoInfo
from harness.vmware.vmx import Vmx
from harness.vmware.vmx_devices import vmx_differences

# Keys of a lab file that do not change how a machine is built: time limits, claims, the keep policy. What the payload
# brings is in the seed.
_SHAPELESS = (
    "name", "vm_directory", "machines", "payload", "deadlines_s", "claims", "cluster", "keep", "keep_for", "overlays",
)  # fmt: skip


def inputs_of(spec: LabSpec, plan: MachinePlan, iso: IsoInfo | None) -> dict[str, str]:
    """Return digests of what shapes the machine: lab file and seed.

    A key without a value counts as absent: a later version of the harness that knows more keys finds no change.
    A seed with a manifest is identified by the hash of its inputs (image included); any other by size and time.

    Raises:
        HostError: The seed could not be read.
        OSError: The seed cannot be looked at.
    """
    if iso is None:
        raise HostError("the seed cannot be read", where=str(plan.seed), remedy="run `lab doctor`, which says why")
    data: dict[str, Any] = spec.model_dump(mode="json", exclude_none=True)
    parts = {f"`{key}` of the lab file": value for key, value in data.items() if key not in _SHAPELESS}
    parts[f"`machines.{plan.name}` of the lab file"] = data["machines"][plan.name]
    digests = {name: _digest(value) for name, value in parts.items()}
    digests[f"the seed {plan.seed.name}"] = iso.input_hash or _stamp(plan.seed)
    if plan.installer is not None:
        digests[f"the installer {plan.installer.name}"] = _stamp(plan.installer)
    return digests


def vmx_changes(planned: Mapping[str, str], vmx: Path) -> tuple[str, ...]:
    """Return how the VMX differs from its plan, further devices included.

    Keys that phases change themselves are left out.

    Raises:
        VmxError: It is no VMX.
        OSError: It cannot be read.
    """
    return tuple(vmx_differences(planned, dict(Vmx.read(vmx).items()), CHANGED_BY_PHASES))


def iso_attached(vmx: Path) -> bool:
    """Return whether the ISO is in the drive at the next start.

    It is where the VMX has no value.

    Raises:
        VmxError: It is no VMX.
        OSError: It cannot be read.
    """
    return (Vmx.read(vmx).get(CD_CONNECTED) or "TRUE").upper() != "FALSE"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size} bytes of {stat.st_mtime_ns}"
