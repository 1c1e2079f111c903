"""Verbs that this program does not support; they fail with VMware's messages."""

from __future__ import annotations

from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import NO_TOOLS_IMAGE, NOT_SUPPORTED, Failure, Flags
from harness.vmrun_qemu.client.guest_shell import connect
from harness.vmrun_qemu.state.power import running


def install_tools(parameters: Sequence[str], _flags: Flags) -> int:
    """Fail: there is no CD image of VMware Tools.

    The guest's agent is a package of its distribution.

    Raises:
        Failure: Always.
    """
    running(parameters[0])
    raise Failure(NO_TOOLS_IMAGE)


def shared_folder(parameters: Sequence[str], _flags: Flags) -> int:
    """Fail: a guest has no driver for VMware's shared folders here.

    Raises:
        Failure: Always; a VM that is off or without Tools has VMware's message for that.
    """
    connect(parameters[0], running(parameters[0])).close()
    raise Failure(NOT_SUPPORTED)
