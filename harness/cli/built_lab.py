"""The VMs that the newest run left, and how to reach them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.core.layout import RunFiles
from harness.guest.ssh_config import SshHost, read_ssh_config
from harness.report.writer import newest_run
from harness.results.model import MachineFacts, RunResult
from harness.results.run_json import from_json

_BUILD = "build the lab with `pytest scenarios/`; a run that was interrupted goes on with `--resume`"


@dataclass(frozen=True)
class BuiltLab:
    """The newest run and its VMs.

    Attributes:
        hosts: The VMs that are still there.
    """

    files: RunFiles
    run: RunResult
    hosts: tuple[SshHost, ...]

    @property
    def roles(self) -> dict[str, str]:
        """The role of each VM."""
        return {machine.name: machine.role for machine in self.run.machines}

    @property
    def master(self) -> tuple[SshHost, MachineFacts]:
        """The first VM of the role master.

        Raises:
            UsageError: None is there.
        """
        by_name = {host.name: host for host in self.hosts}
        for machine in self.run.machines:
            if machine.role == "master" and machine.name in by_name:
                return by_name[machine.name], machine
        raise UsageError("the lab has no master", where=str(self.files.directory), remedy=_BUILD)


def ssh_hosts(files: RunFiles) -> tuple[SshHost, ...]:
    """Return the VMs that a run left.

    Raises:
        UsageError: There is none.
    """
    try:
        hosts = read_ssh_config(files.ssh_config.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hosts = ()
    except ValueError as error:
        raise UsageError(f"not as a run writes it: {error}", where=str(files.ssh_config), remedy=_BUILD) from error
    if not hosts:
        raise UsageError("the newest run left no VM", where=str(files.directory), remedy=_BUILD)
    return hosts


def built_lab(reports: Path) -> BuiltLab:
    """Return the newest run with those of its VMs that are still there.

    Raises:
        UsageError: There is no run, or no VM.
    """
    files = newest_run(reports)
    hosts = ssh_hosts(files)
    try:
        run = from_json(files.run_json.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        remedy = f"write it with `lab report {files.directory}`"
        raise UsageError("the newest run has no run.json", where=str(files.directory), remedy=remedy) from error
    there = {kept.name for kept in run.kept if Path(kept.directory).is_dir()}
    left = tuple(host for host in hosts if host.name in there)
    if not left:
        raise UsageError("the VMs of the newest run were removed", where=str(files.directory), remedy=_BUILD)
    return BuiltLab(files, run, left)
