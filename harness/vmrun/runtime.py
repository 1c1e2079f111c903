"""What can be changed of a machine while it runs: variables and devices. All of it is gone when its power is."""

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
    """Where a variable is.

    `runtimeConfig` is a key of the VMX, `guestVar` a key `guestinfo.<name>` that Tools in the guest read, `guestEnv` is
    in the environment of the guest's user, and kept in Windows guests only.
    """

    RUNTIME_CONFIG = "runtimeConfig"
    GUEST_VAR = "guestVar"
    GUEST_ENV = "guestEnv"


class Runtime:
    """The variable and device verbs of a `vmrun` for one machine; `guestEnv` wants a guest login."""

    def __init__(self, program: VmrunProgram, vmx: Path, login: GuestLogin | None) -> None:
        self._program = program
        self._vmx = vmx
        self._login = login

    def read_variable(self, kind: VariableKind, name: str) -> str:
        """Return the value of a variable; one that is not set has an empty one, which vmrun does not tell apart."""
        words = (kind.value, _variable(kind, name))
        return self._program.parsed(_value, "readVariable", self._vmx, *words, login=self._login)

    def write_variable(self, kind: VariableKind, name: str, value: str) -> None:
        """Have a variable with that value until the machine is switched off."""
        words = (kind.value, _variable(kind, name), value)
        self._program.call("writeVariable", self._vmx, *words, login=self._login)

    def connect_device(self, device: str) -> None:
        """Have a device of the VMX connected now, e.g. `sata0:1` or `ethernet0`."""
        self._program.call("connectNamedDevice", self._vmx, _device(device))

    def disconnect_device(self, device: str) -> None:
        """Have a device of the VMX disconnected now.

        It is back at the next start unless `<device>.startConnected` is FALSE in the VMX, which is written when the
        machine is off. A guest that has locked its CD drive makes VMware ask a question that nobody sees.
        """
        self._program.call("disconnectNamedDevice", self._vmx, _device(device))


def _value(text: str) -> str:
    """Return the line that was printed, as it is.

    Raises:
        ValueError: It is a failure: a value that begins as one cannot be told from it.
    """
    if text.startswith("Error:"):
        raise ValueError("a failure, or a value that begins like one")
    return text.removesuffix("\n")


def _variable(kind: VariableKind, name: str) -> str:
    """Return the name as vmrun takes it: that of a guest variable without `guestinfo.`, which vmrun adds."""
    bare = name.removeprefix(_GUEST_PREFIX) if kind is VariableKind.GUEST_VAR else name
    if not _NAME.fullmatch(bare):
        raise UsageError(f"{name!r} cannot be the name of a variable", remedy="give letters, digits and `_ . : -`")
    return bare


def _device(name: str) -> str:
    if not _DEVICE.fullmatch(name):
        raise UsageError(f"{name!r} is not a device", remedy="give its name in the VMX, e.g. sata0:1 or ethernet0")
    return name
