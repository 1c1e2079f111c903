"""The record of a VM whose supervisor is this test's process."""

from __future__ import annotations

import os

from harness.system.process_identity import Identity, identity
from harness.vmrun_qemu.base.records import Record


def record_of(
    vmx: str = "/vms/a.vmx", phase: str = "running", *, supervisor: Identity | None = None, qmp: str = ""
) -> Record:
    owner = supervisor or identity(os.getpid())
    return {
        "vmx": vmx, "phase": phase, "resumed": False, "supervisor": owner, "qemu": owner, "qmp": qmp,
        "service": "", "socket_dir": "", "plugs": [], "locks": [], "accelerator": "tcg",
    }  # fmt: skip
