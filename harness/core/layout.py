"""Every file name in a machine directory, a run directory and a VM directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LEDGER = "lab-ledger.json"  # in the VM directory: what this lab created there
LOCK = "lab.lock"  # in the VM directory: held by the session that works on the lab
OWNER = "lab-owner.json"  # in the VM directory: who that session is, or was when it died
MADE = "lab-made.json"  # in a VM directory that was not there before: which directories were made for it
HOME = ".hypervisor"  # in the VM directory: what the embedded hypervisor remembers; no machine can have that name
MARKER = "airgap-lab.json"  # in a machine's directory: which run of which lab made it
RECORD = "airgap-lab-record.json"  # in a machine's directory: what the run proved that worked on it last
# How often a run switches a machine on, each time with a serial log of its own: once to install itself, once without
# its ISO, twice after a power cut.
POWER_ONS = 4
CACHE_VARIABLE = "LAB_CACHE_DIR"
LAB_VARIABLE = "AIRGAP_LAB_DIRECTORY"  # in the environment of a process that outlives a session: its VM directory


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the cache directory: `LAB_CACHE_DIR`, or below the user's."""
    import platformdirs  # noqa: PLC0415 - saves 15 ms where nothing is cached

    chosen = environ.get(CACHE_VARIABLE)
    return Path(chosen).resolve() if chosen else platformdirs.user_cache_path("airgap-lab")


@dataclass(frozen=True)
class MachineFiles:
    """The files of one virtual machine, all below `<vm_directory>/<name>`."""

    directory: Path
    name: str

    @property
    def vmx(self) -> Path:
        """The configuration file; its path is the machine's identity for vmrun."""
        return self.directory / f"{self.name}.vmx"

    @property
    def disk(self) -> Path:
        """The virtual disk's descriptor."""
        return self.directory / f"{self.name}.vmdk"

    @property
    def hypervisor_log(self) -> Path:
        """The log that VMware and vmrun-qemu write beside the VMX."""
        return self.directory / "vmware.log"

    def serial(self, power_on: int) -> Path:
        """The serial log of that power-on, counted from 1.

        It is always a new file: VMware asks a question where the file exists.
        """
        return self.directory / f"serial-{power_on}.log"

    def set_aside(self, power_on: int) -> None:
        """Rename the serial log of that number to a free name."""
        names = (self.directory / f"serial-{power_on}-{attempt}.log" for attempt in range(1, 1000))
        self.serial(power_on).replace(next(path for path in names if not path.exists()))


@dataclass(frozen=True)
class RunFiles:
    """The files of one run, all below `reports/<run-id>`."""

    directory: Path

    @property
    def html(self) -> Path:
        """The page for people."""
        return self.directory / "report.html"

    @property
    def summary(self) -> Path:
        """The page in a few lines of Markdown, for a CI job."""
        return self.directory / "summary.md"

    @property
    def junit(self) -> Path:
        """The results for CI systems."""
        return self.directory / "junit.xml"

    @property
    def run_json(self) -> Path:
        """The whole result; every other view is made from it."""
        return self.directory / "run.json"

    @property
    def events(self) -> Path:
        """The journal, one JSON object a line, written as things happen."""
        return self.directory / "events.jsonl"

    @property
    def ssh_config(self) -> Path:
        """For `ssh -F … <machine>`."""
        return self.directory / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The pinned host keys that `ssh_config` points to."""
        return self.directory / "known_hosts"

    def machine(self, name: str) -> Path:
        """The directory of one machine's evidence."""
        return self.directory / name
