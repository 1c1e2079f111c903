"""A reports directory whose newest run left the VMs of a lab."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from report_samples import MACHINES, events_of, static, verdicts, write_journal

from harness.core.layout import RunFiles
from harness.guest.ssh_config import SshHost, known_hosts_text, ssh_config
from harness.report.writer import point_latest, write_reports
from harness.results import journal_events
from harness.results.model import KeptMachine, RunResult

RUN_ID = "2026-01-12T09-30-00"


class LeftLab:
    """The run's directory below `reports`, and the VMs below `vms`.

    Args:
        directory: Where both are.
        forwarded: Whether SSH goes through ports of the host's loopback.
    """

    def __init__(self, directory: Path, *, forwarded: bool = False) -> None:
        self.reports = directory / "reports"
        self.files = RunFiles(self.reports / RUN_ID)
        self.vms = directory / "vms"
        key = directory / "lab keys" / "id_100%"
        self.hosts = tuple(
            SshHost(name, "127.0.0.1", 2200 + index, "ubuntu", key, f"ssh-ed25519 {'A' * 68}")
            if forwarded
            else SshHost(name, f"192.168.6.1{index}", 22, "ubuntu", key, f"ssh-ed25519 {'A' * 68}")
            for index, name in enumerate(MACHINES)
        )
        self._write()

    def _write(self) -> None:
        start = static()
        roles = ("master", "worker", "worker")
        machines = tuple(dataclasses.replace(one, role=role) for one, role in zip(start.machines, roles, strict=True))
        kept = tuple(KeptMachine(name, str(self.vms / name)) for name in MACHINES)
        events = events_of(verdicts(), exit_status=None, run=dataclasses.replace(start, machines=machines))
        end = journal_events.run_end(0, RunResult(kept=kept))
        events.append({"t": 210.0, "kind": journal_events.RUN_END, "machine": None, **end})
        write_journal(self.files.events, events)
        for name in MACHINES:
            (self.vms / name).mkdir(parents=True)
        self.files.known_hosts.write_text(known_hosts_text(self.hosts), encoding="utf-8")
        self.files.ssh_config.write_text(ssh_config(self.hosts, self.files.known_hosts), encoding="utf-8")
        write_reports(self.files.directory)
        point_latest(self.files.directory)
