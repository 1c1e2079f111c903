"""Evidence: copies of what shows how a machine came to be as it is. Collected before anything is destroyed."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.errors import GuestError, HarnessError
from harness.layout import RunFiles
from harness.machine import Machine
from harness.process import decode
from harness.secret import redact

# What the guest is asked for, and the name in the run directory.
GUEST_FILES = {
    "/var/log/cloud-init.log": "cloud-init.log",
    "/var/log/cloud-init-output.log": "cloud-init-output.log",
    "/run/cloud-init/result.json": "cloud-init-result.json",
    "/run/cloud-init/status.json": "cloud-init-status.json",
}
_GUEST_FILE_LIMIT = 4 << 20  # bytes
_GUEST_FILE_S = 60


def collect(machine: Machine, run: RunFiles) -> list[Path]:
    """Return the files that are now in the run directory of that machine; what cannot be had is journalled."""
    target = run.machine(machine.name)
    target.mkdir(parents=True, exist_ok=True)
    files = machine.plan.files
    sources = [files.vmx, files.hypervisor_log, *sorted(files.directory.glob("serial-*.log"))]
    found = [_copy(source, target) for source in sources if source.is_file()]
    found += _from_guest(machine, target)
    for path in found:
        machine.host.journal.write("evidence", machine.name, path=path.relative_to(run.directory).as_posix())
    return found


def screen(machine: Machine, run: RunFiles) -> None:
    """Have a picture of the machine's screen in the run directory, where it can be had without a password."""
    target = run.machine(machine.name) / "screen.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        machine.host.vmrun.capture_screen(machine.plan.files.vmx, target)
    except HarnessError as error:
        machine.host.journal.write("note", machine.name, text=f"no picture of the screen: {error.what}")
        return
    if target.is_file():
        machine.host.journal.write("evidence", machine.name, path=target.relative_to(run.directory).as_posix())


def _copy(source: Path, target: Path) -> Path:
    copy = target / source.name
    if source.suffix in (".log", ".vmx"):
        copy.write_text(redact(decode(source.read_bytes())), encoding="utf-8", newline="\n")
    else:
        shutil.copyfile(source, copy)
    return copy


def _from_guest(machine: Machine, target: Path) -> list[Path]:
    found = []
    for path, name in GUEST_FILES.items():
        try:
            data = machine.fetch(path, _GUEST_FILE_S, _GUEST_FILE_LIMIT)
        except GuestError as error:
            machine.host.journal.write("note", machine.name, text=f"{path} could not be fetched: {error.what}")
            continue
        copy = target / name
        copy.write_text(redact(decode(data)), encoding="utf-8", newline="\n")
        found.append(copy)
    return found
