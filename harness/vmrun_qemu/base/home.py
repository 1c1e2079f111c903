"""The home of this program: the directory of its state files.

    <home>/networks.json            the virtual networks that were defined (others have defaults)
    <home>/vm/<id>/lock             held by the supervisor while the VM runs
    <home>/vm/<id>/record.json      see `records.Record`
    <home>/vm/<id>/qemu.log, supervisor.log
    <home>/net/<vmnet>/lock         held while the network is changed
    <home>/net/<vmnet>/forwards.json, services.json, traffic.json, switch.json, members/, daemon.log, qemu.log

`<home>` is `VMRUN_QEMU_HOME`, else the user's state directory. VMs that were started under one home are invisible under
another, as VMs of another user are to VMware's `vmrun`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from harness.vmrun_qemu.base.wait import wait_for

T = TypeVar("T")

_DENIED_S = 2.0


def root() -> Path:
    """Return the home of this program; create it, private."""
    named = os.environ.get("VMRUN_QEMU_HOME")
    if named:
        path = Path(named).absolute()
    else:
        from platformdirs import user_state_path  # noqa: PLC0415 - 14 ms, only without VMRUN_QEMU_HOME

        path = user_state_path("vmrun-qemu", appauthor=False)
    if os.name == "nt":
        path.mkdir(parents=True, exist_ok=True)  # with the access list that it inherits
    else:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def canonical(vmx: str | os.PathLike[str]) -> str:
    """Return the canonical VMX path: absolute, links resolved."""
    return os.path.realpath(vmx)


def vm_id(vmx: str | os.PathLike[str]) -> str:
    """Return the directory name of a VM below `<home>/vm`."""
    import hashlib  # noqa: PLC0415 - 7 ms that a command without a VM does not pay

    return hashlib.sha256(os.path.normcase(canonical(vmx)).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def vm_dir(vmx: str | os.PathLike[str]) -> Path:
    """Return the directory of a VM; it may not exist."""
    return root() / "vm" / vm_id(vmx)


def net_dir(vmnet: str) -> Path:
    """Return the directory of a virtual network; create it."""
    path = root() / "net" / vmnet
    (path / "members").mkdir(parents=True, exist_ok=True)
    return path


def read_json(path: Path, *, denied_s: float = _DENIED_S) -> Any:
    """Return the value of a JSON file, None without a valid one.

    It is read again for `denied_s` seconds while access is denied.

    Raises:
        OSError: It exists and cannot be read.
    """
    try:
        return json.loads(_retry_while_denied(lambda: path.read_text(encoding="utf-8"), denied_s))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None


def write_json(path: Path, value: Any, *, denied_s: float = _DENIED_S) -> None:
    """Write a JSON file atomically.

    A reader sees the old value or the new one; `denied_s` is as in `read_json`.

    Raises:
        OSError: It cannot be written.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(json.dumps(value, indent=1), encoding="utf-8")
        _retry_while_denied(lambda: beside.replace(path), denied_s)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def remove(path: Path, *, denied_s: float = _DENIED_S) -> None:
    """Delete a file, if it exists; `denied_s` is as in `read_json`.

    Raises:
        OSError: It cannot be removed.
    """
    _retry_while_denied(lambda: path.unlink(missing_ok=True), denied_s)


def _retry_while_denied(act: Callable[[], T], denied_s: float) -> T:
    """Return the result of `act`; retry while access is denied.

    Windows denies it while another process has the file open.

    Raises:
        OSError: It is still denied after `denied_s` seconds, or fails otherwise.
    """
    answers: list[T] = []

    def attempt() -> bool:
        try:
            answers.append(act())
        except PermissionError:
            return False
        return True

    return answers[0] if wait_for(attempt, denied_s) else act()
