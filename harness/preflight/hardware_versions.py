"""The newest virtual hardware of each VMware Workstation. Pure."""

from __future__ import annotations

import re

# Release, newest hardware version.
_NEWEST = (((25, 0), 22), ((17, 5), 21), ((17, 0), 20), ((16, 2), 19), ((16, 0), 18))
_EMBEDDED = 22
_WORKSTATION = re.compile(r"^VMware Workstation (\d+)(?:\.(\d+)|H\d)")


def newest_hardware(product: str) -> int | None:
    """Return the newest hardware version of a product; None if unknown.

    Args:
        product: As `VMware Workstation 17.6.3 (vmrun …)`, or `QEMU 7.2` for the embedded hypervisor.
    """
    if product.startswith("QEMU "):
        return _EMBEDDED
    if (found := _WORKSTATION.match(product)) is None:
        return None
    release = (int(found[1]), int(found[2] or 0))
    return next((newest for first, newest in _NEWEST if release >= first), None)
