"""Evidence of all machines of one run."""

from __future__ import annotations

from harness.core.verdict import Status, Verdict
from harness.lab.evidence.collector import Collector
from harness.lab.evidence.explain import explained
from harness.machine.machine import Machine


class RunEvidence:
    """Decides what is collected of which machine.

    There is one collector per machine, used by one thread at a time.
    """

    def __init__(self) -> None:
        self._collectors: dict[str, Collector] = {}
        self._suspects: set[str] = set()

    def suspect(self, machine: str) -> None:
        """Request complete evidence of that machine: a test of its guest failed."""
        self._suspects.add(machine)

    def explain(self, verdict: Verdict, machine: Machine) -> Verdict:
        """Collect complete evidence of a failure; return the verdict with its cause."""
        if not machine.console.started:
            return verdict
        collector = self._collector(machine)
        condition = collector.condition() if verdict.status is Status.FAIL else ""
        collector.collect(complete=True)
        return explained(verdict, condition, collector.texts)

    def collect_sample(self, machine: Machine) -> None:
        """Collect a little evidence of a machine without a fault."""
        self._collector(machine).collect(complete=False)

    def collect_last(self, machine: Machine) -> None:
        """Collect what is missing at the end; close the SSH session."""
        machine.console.finish()
        known, suspect = machine.name in self._collectors, machine.name in self._suspects
        collector = self._collector(machine)
        if suspect or not known:
            collector.collect(complete=suspect)
        else:
            collector.collect_host_files()
        machine.ssh.close()

    def collect_before_deletion(self, machine: Machine) -> None:
        """Power off an unresponsive VM and copy its logs from the disk."""
        self._collector(machine).stop_and_read_disk()

    def _collector(self, machine: Machine) -> Collector:
        return self._collectors.setdefault(machine.name, Collector(machine))
