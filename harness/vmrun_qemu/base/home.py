"""Where this program keeps what it must remember, and how a machine is named there.

    <home>/networks.json            the virtual networks that were defined (others have defaults)
    <home>/vm/<id>/lock             held by the supervisor for as long as the machine runs
    <home>/vm/<id>/record.json      see `instances.Record`
    <home>/vm/<id>/qemu.log, supervisor.log
    <home>/net/<vmnet>/lock         held while the network is changed
    <home>/net/<vmnet>/forwards.json, services.json, traffic.json, switch.json, members/, daemon.log, qemu.log

`<home>` is `VMRUN_QEMU_HOME`, else the user's state directory. Machines that were started under one home are invisible
under another, as machines of another user are to VMware's `vmrun`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from harness.vmrun_qemu.base.wait import wait_for

T = TypeVar("T")

_DENIED_S = 2.0


def root() -> Path:
    """Return the home directory of this program; it exists afterwards, for its owner only."""
    named = os.environ.get("VMRUN_QEMU_HOME")
    if named:
        path = Path(named).absolute()
    else:
        from platformdirs import user_state_path  # noqa: PLC0415 - 14 ms, only without VMRUN_QEMU_HOME

        path = user_state_path("vmrun-qemu", appauthor=False)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def canonical(vmx: str | os.PathLike[str]) -> str:
    """Return the one spelling of a VMX path: absolute, links resolved."""
    return os.path.realpath(vmx)


def vm_id(vmx: str | os.PathLike[str]) -> str:
    """Return the directory name of a machine below `<home>/vm`."""
    return hashlib.sha256(os.path.normcase(canonical(vmx)).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def vm_dir(vmx: str | os.PathLike[str]) -> Path:
    """Return the directory of a machine; it may not exist."""
    return root() / "vm" / vm_id(vmx)


def net_dir(vmnet: str) -> Path:
    """Return the directory of a virtual network; it exists afterwards."""
    path = root() / "net" / vmnet
    (path / "members").mkdir(parents=True, exist_ok=True)
    return path


def read_json(path: Path) -> Any:
    """Return what the file holds, or None when it is absent or torn.

    Raises:
        OSError: It is there, and cannot be read.
    """
    try:
        return json.loads(_patiently(lambda: path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def write_json(path: Path, value: Any) -> None:
    """Replace the file at once: a reader sees the old value or the new one.

    Raises:
        OSError: It cannot be written.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(json.dumps(value, indent=1), encoding="utf-8")
        _patiently(lambda: beside.replace(path))
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def remove(path: Path) -> None:
    """Have no such file.

    Raises:
        OSError: It cannot be removed.
    """
    _patiently(lambda: path.unlink(missing_ok=True))


def _patiently(act: Callable[[], T]) -> T:
    """Return what `act` returns; Windows denies it for as long as another process has the file open.

    Raises:
        OSError: It is still denied after a while, or something else is wrong.
    """
    answers: list[T] = []

    def attempt() -> bool:
        try:
            answers.append(act())
        except PermissionError:
            return False
        return True

    return answers[0] if wait_for(attempt, _DENIED_S) else act()
