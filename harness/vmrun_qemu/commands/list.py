"""list."""

from __future__ import annotations

from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import Flags, print_line
from harness.vmrun_qemu.state import inventory


def list_running(_parameters: Sequence[str], _flags: Flags) -> int:
    """Print the number of running VMs, and their VMX paths."""
    paths = [record["vmx"] for record in inventory.all_running()]
    print_line("\n".join([f"Total running VMs: {len(paths)}", *paths]))
    return 0
