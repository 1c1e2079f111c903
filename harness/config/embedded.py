"""Load a lab for the embedded hypervisor, with its own overlays."""

from __future__ import annotations

from pathlib import Path

from harness.config.k3s_size import brings_k3s, too_small
from harness.config.loader import EMBEDDED_OVERLAY, K3S_OVERLAY, load_lab
from harness.config.model import LabSpec


def load_embedded(path: Path, overlay: str | None, *, platform: str) -> LabSpec:
    """Return the lab for the embedded hypervisor.

    Without a named overlay, `embedded_overlay` is applied.

    Raises:
        ConfigError: As `load_lab`.
    """
    return load_lab(path, overlay or embedded_overlay(path), platform=platform)


def embedded_overlay(path: Path) -> str | None:
    """Return the overlays for the embedded hypervisor, of those that the lab file has.

    They are `embedded` and, where the payload has k3s and a machine is too small for it, `k3s`.

    Raises:
        ConfigError: As `load_lab`.
    """
    spec = load_lab(path)
    names = [EMBEDDED_OVERLAY] if EMBEDDED_OVERLAY in spec.overlays else []
    payload = spec.payload is not None or "payload" in spec.overlays.get(EMBEDDED_OVERLAY, {})
    if payload and K3S_OVERLAY in spec.overlays:
        spec = load_lab(path, EMBEDDED_OVERLAY) if names else spec
        names += [K3S_OVERLAY] if brings_k3s(spec) and too_small(spec) else []
    return ",".join(names) or None
