"""Open the lab of a session when its first test needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.core.errors import HarnessError, UsageError
from harness.guest.testinfra_backend import lab_host
from harness.lab.closing import RunEnd
from harness.lab.evidence.collector import Collector
from harness.lab.lab import Lab
from harness.lab.opening import journal_run_start, open_lab
from harness.lab.resume.decision import ResumeMode
from harness.plugin.assertions import Proof
from harness.plugin.lab_session import LabSession
from harness.plugin.progress import Progress
from harness.plugin.reminder import EVERY_S, EVERY_WITHOUT_TERMINAL_S
from harness.plugin.requested import asked_by, needs_of
from harness.plugin.terminal import writer
from harness.results.claim_rules import Asked
from harness.results.journal import Journal
from harness.results.plain_text import plain
from harness.system.ports import HeldPorts


@dataclass
class LabRun:
    """The run of a session.

    Attributes:
        lab: The lab, working.
        proof: Asserts its verdicts.
        progress: Its terminal output.
        asked: What the selected tests ask of it.
        hosts: A testinfra host per machine; creating one runs commands in the guest.
        problems: What could not be done, as text.
        end: How it ended; None until then.
    """

    lab: Lab
    proof: Proof
    progress: Progress
    asked: Asked
    hosts: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    end: RunEnd | None = None

    def host(self, machine_name: str) -> Any:
        """Return the machine as a testinfra host, the same for all tests."""
        if machine_name not in self.hosts:
            machine = self.lab.machines[machine_name]
            limit_s = self.lab.context.plan.spec.deadlines_s.guest_command
            condition = Collector(machine).condition
            self.hosts[machine_name] = lab_host(machine.ssh.channel, machine_name, limit_s, condition)
        return self.hosts[machine_name]


_KEY = pytest.StashKey[LabRun]()


def run_of(config: pytest.Config) -> LabRun | None:
    """Return the run, or None if no test has used the lab."""
    return config.stash.get(_KEY, None)


def open_run(session: LabSession, config: pytest.Config) -> LabRun:
    """Open the lab and start the machines that the selected tests need.

    A lab that cannot be opened ends pytest: with exit code 4 for wrong input, else with 1.
    """
    journal = Journal(session.run.events)
    session.cleanup.callback(journal.close)
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    every_s = EVERY_S if reporter is not None and reporter.isatty else EVERY_WITHOUT_TERMINAL_S
    progress = Progress(journal, writer(config, reporter), every_s)
    machines = list(session.selection.spec.machines)
    needs, with_cluster = needs_of(session.items, machines)
    asked = asked_by(session.items, session.deselected, needs, session.scenarios, machines)
    try:
        ports = session.cleanup.enter_context(HeldPorts())
        lab = open_lab(session.selection, session.run, journal, ports, ResumeMode(config.option.again))
        journal_run_start(lab, session.selection, config.invocation_params.args, asked)
    except (HarnessError, OSError) as error:
        wrong_input = isinstance(error, UsageError)
        status = pytest.ExitCode.USAGE_ERROR if wrong_input else pytest.ExitCode.TESTS_FAILED
        pytest.exit(plain(f"the lab cannot be opened: {error}"), returncode=status)
    session.cleanup.callback(lab.stop)  # Before the journal, the ports and the lock are released.
    run = config.stash[_KEY] = LabRun(lab, Proof(lab, journal, progress.flush), progress, asked)
    progress.reminder.last_line = lambda name: lab.machines[name].console.tail(1) if name in lab.machines else ""
    lab.start(needs, with_cluster=with_cluster)
    return run
