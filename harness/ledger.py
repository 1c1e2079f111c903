"""What this lab created: written before it is created, and the only thing that cleanup goes by."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import HostError

_VERSION = 1


@dataclass(frozen=True)
class Claim:
    """One machine directory of this lab.

    `port` is the loopback port that leads to its SSH by way of `network`, or 0 where it is reached directly.
    """

    machine: str
    directory: str
    run_id: str
    network: str = ""
    port: int = 0


class Ledger:
    """The claims of one lab, in one JSON file beside the machines; safe to use from several threads."""

    def __init__(self, path: Path, lab: str) -> None:
        self.path = path
        self.lab = lab
        self._lock = threading.Lock()

    def claims(self) -> tuple[Claim, ...]:
        """Return all claims.

        Raises:
            HostError: The file is damaged, or belongs to a lab of another name.
        """
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            claims = tuple(Claim(**item) for item in data["machines"])
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise HostError(
                f"the ledger cannot be read: {error}",
                where=str(self.path),
                remedy="nothing is deleted without it; look at the directory, then remove the ledger by hand",
            ) from error
        if data.get("lab") != self.lab:
            raise HostError(
                f"this directory belongs to the lab {data.get('lab')!r}, not to {self.lab!r}",
                where=str(self.path),
                remedy="give this lab another vm_directory",
            )
        return claims

    def claim_of(self, machine: str) -> Claim | None:
        """Return the claim of that machine, or None."""
        return next((claim for claim in self.claims() if claim.machine == machine), None)

    def claim(self, claim: Claim) -> None:
        """Have the claim on disk, in place of an older one of that machine, before anything is created."""
        with self._lock:
            others = [item for item in self.claims() if item.machine != claim.machine]
            self._write([*others, claim])

    def release(self, machine: str) -> None:
        """Have no claim of that machine on disk, and no ledger when that was the last one."""
        with self._lock:
            others = [item for item in self.claims() if item.machine != machine]
            if others:
                self._write(others)
            else:
                self.path.unlink(missing_ok=True)

    def _write(self, claims: list[Claim]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = {"version": _VERSION, "lab": self.lab, "machines": [asdict(claim) for claim in claims]}
        scratch = self.path.with_suffix(".tmp")
        scratch.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        os.replace(scratch, self.path)  # noqa: PTH105  (atomic on Windows too, with an existing target)


def owned_names(name: str) -> re.Pattern[str]:
    """Return the file names that a hypervisor and this harness write into the directory of machine `name`.

    VMware: configuration, descriptors and extents (`-s001`, `-f001`), delta disks (`-000001`), memory (`.vmem`),
    suspend and snapshot state, logs, locks. Anything else in the directory is somebody else's.
    """
    stem = re.escape(name)
    return re.compile(
        rf"{stem}(-[0-9a-f]{{8}})?\.(vmx|vmxf|vmsd|nvram|vmem|vmss|vmx~|scoreboard)"
        rf"|{stem}(-\d{{6}})?(-[sf]\d{{3}}|-flat|-delta)?\.vmdk"
        rf"|{stem}-(Snapshot\d+|[0-9a-f]{{8}})\.(vmsn|vmem|vmss)"
        r"|(vmware|qemu|supervisor|mksSandbox)(-\d+)?\.log|serial-\d+\.log|.+\.lck|vmrun-qemu\.json",
        re.IGNORECASE,
    )


def remove_machine_directory(directory: Path, name: str) -> tuple[Path, ...]:
    """Remove what is ours in the directory, and the directory itself when nothing else is in it.

    Returns:
        What was left, because it is not ours. A directory that does not exist leaves nothing.

    Raises:
        HostError: Something of ours could not be removed.
    """
    if not directory.is_dir():
        return ()
    ours = owned_names(name)
    left = []
    for item in sorted(directory.iterdir()):
        if not ours.fullmatch(item.name) or (item.is_dir() and not item.name.lower().endswith(".lck")):
            left.append(item)
            continue
        try:
            shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
        except OSError as error:
            raise HostError(
                f"cannot remove {item.name}: {error.strerror or error}",
                where=str(directory),
                remedy="close what holds the file (an editor, the Workstation window), then run again",
            ) from error
    if not left:
        with contextlib.suppress(OSError):
            directory.rmdir()
    return tuple(left)
