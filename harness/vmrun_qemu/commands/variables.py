"""readVariable, writeVariable: configuration, guest variables and environment of a running VM.

Values that were written are lost at power-off, as VMware documents it. A guest without VMware's own channel does not
see them, except for its environment: programs that a guest verb runs have that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.vmrun_qemu.base.messages import INVALID_PARAMETER, Failure, Flags, print_line
from harness.vmrun_qemu.client import supervisor, tools
from harness.vmrun_qemu.client.guest_shell import GuestShell
from harness.vmrun_qemu.commands.guest_files import text_of
from harness.vmrun_qemu.state.power import running

_REQUEST_S = 30.0
_GUEST = "guestinfo."
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read(parameters: Sequence[str], flags: Flags) -> int:
    """Print the value of a variable, or an empty line.

    `guestVar ip` is the guest's address.

    Raises:
        Failure: The VM does not run, or there is no such kind of variable.
    """
    vmx, kind, name = parameters
    record = running(vmx)
    if kind.lower() == "guestenv":
        with GuestShell(vmx, flags) as shell:
            print_line(text_of(shell.run('printenv -- "$1"', _checked(name))).removesuffix("\n"))
        return 0
    key = _key(kind, name)
    address = tools.present_address(record, must_answer=False) if key == f"{_GUEST}ip" else ""
    print_line(address or str(supervisor.request(record, "read-variable", _REQUEST_S, name=key)))
    return 0


def write(parameters: Sequence[str], flags: Flags) -> int:
    """Set a variable until the VM is powered off.

    Raises:
        Failure: As `read`.
    """
    vmx, kind, name, value = parameters
    record = running(vmx)
    if kind.lower() == "guestenv":
        with GuestShell(vmx, flags) as shell:
            shell.run("exit 0")
        supervisor.request(record, "write-environment", _REQUEST_S, name=_checked(name), value=value)
        return 0
    supervisor.request(record, "write-variable", _REQUEST_S, name=_key(kind, name), value=value)
    return 0


def _key(kind: str, name: str) -> str:
    """Return the VMX key of a variable.

    `guestVar x` and `guestVar guestinfo.x` are `guestinfo.x`.
    """
    if kind.lower() == "runtimeconfig":
        return name
    if kind.lower() != "guestvar":
        raise Failure(f"{INVALID_PARAMETER}: {kind}")
    return _GUEST + (name[len(_GUEST) :] if name.lower().startswith(_GUEST) else name)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Failure(f"{INVALID_PARAMETER}: {name}")
    return name
