"""Variables and devices of a running VM.

All changes are lost when the VM is powered off.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from harness.core.errors import UsageError
from harness.vmrun.invocation import GuestLogin, VmrunProgram

_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_DEVICE = re.compile(r"[a-z][a-z_]*\d*(:\d+)?", re.IGNORECASE)
_GUEST_PREFIX = "guestinfo."


class VariableKind(StrEnum):
    """The kind of a variable.

    `runtimeConfig` is a key of the VMX, `guestVar` a key `guestinfo.<name>` that Tools in the guest read, `guestEnv` an
    environment variable of the guest's user, which only Windows guests keep.
    """

    RUNTIME_CONFIG = "runtimeConfig"
    GUEST_VAR = "guestVar"
    GUEST_ENV = "guestEnv"


class Runtime:
    """The variable and device verbs of a `vmrun` for one VM.

    `guestEnv` requires a guest login.
    """

    def __init__(self, program: VmrunProgram, vmx: Path, login: GuestLogin | None) -> None:
        self._program = program
        self._vmx = vmx
        self._login = login

    def read_variable(self, kind: VariableKind, name: str) -> str:
        """Return the value of a variable.

        It is empty for a variable that is not set: vmrun does not report the difference.
        """
        words = (kind.value, _variable(kind, name))
        return self._program.query(_value, "readVariable", self._vmx, *words, login=self._login)

    def write_variable(self, kind: VariableKind, name: str, value: str) -> None:
        """Set a variable until the VM is powered off."""
        words = (kind.value, _variable(kind, name), value)
        self._program.call("writeVariable", self._vmx, *words, login=self._login)

    def connect_device(self, device: str) -> None:
        """Connect a device of the VMX, e.g. `sata0:1` or `ethernet0`."""
        self._program.call("connectNamedDevice", self._vmx, _device(device))

    def disconnect_device(self, device: str) -> None:
        """Disconnect a device of the VMX.

        The next start connects it again unless `<device>.startConnected` is FALSE in the VMX, which can be written
        while the VM is off. If the guest has locked its CD drive, VMware shows a question that this program cannot
        answer.
        """
        self._program.call("disconnectNamedDevice", self._vmx, _device(device))


def _value(text: str) -> str:
    """Return the printed line unchanged.

    Raises:
        ValueError: It is a failure, or a value that looks like one.
    """
    if text.startswith("Error:"):
        raise ValueError("a failure, or a value that begins like one")
    return text.removesuffix("\n")


def _variable(kind: VariableKind, name: str) -> str:
    """Return the name of a variable for vmrun.

    vmrun adds `guestinfo.` to the name of a guest variable.
    """
    short_name = name.removeprefix(_GUEST_PREFIX) if kind is VariableKind.GUEST_VAR else name
    if not _NAME.fullmatch(short_name):
        raise UsageError(f"{name!r} cannot be the name of a variable", remedy="give letters, digits and `_ . : -`")
    return short_name


def _device(name: str) -> str:
    if not _DEVICE.fullmatch(name):
        raise UsageError(f"{name!r} is not a device", remedy="give its name in the VMX, e.g. sata0:1 or ethernet0")
    return name
