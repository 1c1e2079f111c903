"""Sizes of machines that are to carry k3s. Pure."""

from __future__ import annotations

from harness.config.model import LabSpec, Role

# Measured: a server needs 770 MiB and two processors (with one it does not survive its restart), an agent 330 MiB.
_SMALLEST = {Role.MASTER: (1536, 2), Role.WORKER: (768, 1)}  # MiB, processors


def brings_k3s(spec: LabSpec) -> bool:
    """Return whether the lab file has k3s in its payload."""
    return spec.payload is not None and spec.payload.k3s is not None


def too_small(spec: LabSpec) -> list[str]:
    """Return which machines are too small for k3s."""
    found = []
    for name, machine in spec.machines.items():
        memory, cpus = _SMALLEST[machine.role]
        has = (spec.memory_mib(name), spec.cpus(name))
        if has[0] < memory or has[1] < cpus:
            wanted = f"k3s needs {memory} MiB and {cpus} on a {machine.role.value}"
            found.append(f"{name} has {has[0]} MiB and processors: {has[1]}; {wanted}")
    return found
