"""The linked clones that a machine knows of: they use its disks, and break when these go.

VMware notes them in the `.vmsd` beside the VMX, in the syntax of a VMX: `snapshot0.displayName = "base"`,
`snapshot0.clone0 = "<VMX of the clone>"`. A clone that was deleted can still be noted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.vmware.linked_clones import snapshot_notes

_CLONE = re.compile(r"(snapshot\d+)\.clone\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Clone:
    """A clone that exists, and the name of the snapshot whose disks it uses."""

    snapshot: str
    vmx: Path


def clones_of(vmx: Path) -> tuple[Clone, ...]:
    """Return the clones of that machine that exist; none where it has no `.vmsd`.

    Raises:
        HostError: There is one, and it cannot be read.
    """
    notes = snapshot_notes(vmx.with_suffix(".vmsd"))
    found = []
    for key, value in notes.items():
        match = _CLONE.fullmatch(key)
        path = vmx.parent / value
        if match and path.is_file():
            found.append(Clone(notes.get(f"{match[1]}.displayName") or "", path))
    return tuple(found)
