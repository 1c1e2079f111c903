"""Names that VMware gives to the files of a VM."""

from __future__ import annotations

import re

# Beside the VMX of any VM: logs, the virtual printer's logs, dumps of a crash, firmware settings without a name.
SHARED_NAMES = re.compile(
    r"(vmware|mksSandbox|vprintproxy)(-[0-9]+)?\.log|vmmcores([-.][0-9]+)*\.gz|vmware-vmx([-.][\w.-]+)?\.dmp|nvram",
    re.ASCII,
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def named_pattern(name: str) -> str:
    """Return the regular expression of the files that carry the name of the VM.

    Configuration, descriptors and extents (`-s001`, `-f001`), delta disks (`-000001`), memory (`.vmem`), suspend and
    snapshot state, the performance counters (`.scoreboard`, rotated as logs are), a VMX that is being written.
    """
    stem = re.escape(name)
    return (
        rf"{stem}(-[0-9a-f]{{8}})?\.(vmx|vmxf|vmsd|nvram|vmem|vmss|vmsn|vmx~|hlog)|{stem}\.vmx\.[0-9a-z_]+\.tmp"
        rf"|{stem}(-[0-9a-f]{{8}})?(-[0-9]+)?\.scoreboard"
        rf"|{stem}(-[0-9]{{6}})?(-[sf][0-9]{{3}}|-flat|-delta)?\.vmdk"
        rf"|{stem}-(Snapshot[0-9]+|[0-9a-f]{{8}})\.(vmsn|vmem|vmss)"
    )


def memory_pattern(uuid: str = "") -> str:
    """Return the regular expression of the memory file that VMware names by `uuid.bios`.

    Args:
        uuid: The 32 hex digits of `uuid.bios`; empty for those of any VM.
    """
    text = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:])).lower()
    return rf"{re.escape(text) if uuid else _UUID.pattern}\.vmem"
