"""State files (`.vmss`, `.vmsn`): configuration, and memory if the VM was on.

The names are VMware's, the content is our own: a line `vmrun-qemu state 1`, a line of JSON (see `State`), and then,
where `memory` is true, QEMU's migration stream to the end of the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from harness.vmrun_qemu.base import home
from harness.vmrun_qemu.vmfiles import devices
from harness.vmware.vmx import Vmx, VmxError

_MAGIC = b"vmrun-qemu state 1\n"
_LIMIT = 1 << 24


def state_file_of(vmx: Path) -> Path:
    """Return the state file of a suspended VM, as VMware names it.

    The name is `<name>-<eight digits of its path's id>.vmss`.
    """
    return vmx.with_name(f"{vmx.stem}-{home.vm_id(vmx)[:8]}.vmss")


class StateError(Exception):
    """The file was not written by this program, or is damaged."""


@dataclass(frozen=True)
class State:
    """The head of a state file.

    `vmx` is the text of the configuration and `charset` what it was read with; `address` is the guest's last known
    address, or empty; `plugged` are the devices that were connected or disconnected since power-on, `variables` what
    was written into the configuration of the running machine.
    """

    vmx: str
    charset: str
    memory: bool
    address: str = ""
    plugged: Mapping[str, bool] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_powered_off(cls, vmx: Vmx) -> State:
        """Return the state of a VM that is off."""
        return cls(vmx.text(), vmx.encoding, memory=False)

    def devices(self, vmx: Vmx) -> Vmx:
        """Return the configuration with the devices as they were connected."""
        found = vmx.copy()
        for name, connected in self.plugged.items():
            found.update((key, value) for key, value in self.variables.items() if key.startswith(f"{name}."))
            found.set(f"{name}.startConnected", connected)
        return found

    def configuration(self) -> Vmx:
        """Return the configuration.

        Raises:
            StateError: It cannot be parsed.
        """
        try:
            return Vmx.parse(self.vmx, self.charset)
        except VmxError as error:
            raise StateError(f"configuration: {error}") from error


def write_head(stream: BinaryIO, state: State) -> None:
    """Write everything but the memory."""
    stream.write(_MAGIC + json.dumps(asdict(state)).encode("utf-8") + b"\n")


def read_head(stream: BinaryIO, name: str) -> State:
    """Read the head of a state file, up to the memory.

    Raises:
        StateError: It is no state file.
        OSError: It cannot be read.
    """
    if stream.readline(len(_MAGIC)) != _MAGIC:
        raise StateError(f"{name} is no state that vmrun-qemu has saved")
    try:
        state = State(**json.loads(stream.readline(_LIMIT)))
        _check_kinds(state)
    except (ValueError, TypeError, RecursionError) as error:
        raise StateError(f"{name} is damaged: {error}") from error
    return state


def _check_kinds(state: State) -> None:
    """Raise TypeError unless the values are of the kinds that `State` names."""
    texts = (state.vmx, state.charset, state.address)
    if not all(isinstance(text, str) for text in texts) or not isinstance(state.memory, bool):
        raise TypeError("a value is of another kind")
    for values, kind in ((state.plugged, bool), (state.variables, str)):
        if not isinstance(values, dict) or not all(isinstance(value, kind) for value in values.values()):
            raise TypeError("a value is of another kind")


def read(path: Path) -> State:
    """Read the head of the state file at `path`.

    Raises:
        StateError: It is missing, or no state file.
    """
    try:
        with path.open("rb") as stream:
            return read_head(stream, path.name)
    except OSError as error:
        raise StateError(f"Cannot open the state file '{path}': {error.strerror}") from error


def last_address(path: Path) -> str:
    """Return the last known guest address of a suspended VM, or nothing."""
    try:
        name = Vmx.read(path).get("checkpoint.vmState") or ""
        return read(devices.resolve(path.parent, name)).address if name else ""
    except (OSError, VmxError, StateError):
        return ""
