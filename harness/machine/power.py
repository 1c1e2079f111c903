"""Power operations of one VM.

`vmrun list` decides whether it runs: the state is never remembered.
"""

from __future__ import annotations

from harness.core.deadline import Deadline
from harness.core.layout import MachineFiles
from harness.machine.console import Console
from harness.machine.journal import MachineJournal
from harness.machine.ssh_session import SshSession
from harness.results.journal_events import STARTED
from harness.vmrun.driver import Vmrun
from harness.vmrun.parse import Display

# The part of a power-off's deadline in which the guest may shut down by itself; the rest is for cutting its power.
_SOFT_SHARE = 0.75


class Power:
    """Powers one VM on and off.

    Args:
        vmrun: The hypervisor's driver.
        files: The VM's files.
        display: Whether the VM has a window.
        console: Followed from each power-on.
        ssh: Closed before each power-off.
        journal: Where the state is written.
    """

    def __init__(
        self,
        vmrun: Vmrun,
        files: MachineFiles,
        *,
        display: Display,
        console: Console,
        ssh: SshSession,
        journal: MachineJournal,
    ) -> None:
        self._vmrun = vmrun
        self._files = files
        self._display = display
        self._console = console
        self._ssh = ssh
        self._journal = journal

    def is_running(self, deadline: Deadline | None = None) -> bool:
        """Return whether `vmrun list` has the VM, asked now."""
        return self._vmrun.is_running(self._files.vmx, deadline)

    def on(self, number: int, deadline: Deadline) -> None:
        """Start the VM for the `number`-th time.

        A serial log of that number, left by an interrupted run, is renamed.
        """
        if self._files.serial(number).exists() and not self.is_running(deadline):
            self._files.set_aside(number)
        self._console.follow(number)
        self._journal.state(STARTED)
        self._vmrun.start(self._files.vmx, self._display, deadline=deadline)

    def off(self, deadline: Deadline) -> None:
        """Shut down the guest and wait for the VM's locks.

        Its power is cut where it does not shut down in time.
        """
        self._stop(deadline, soft_s=deadline.seconds * _SOFT_SHARE)
        self._journal.state("powered off")

    def cut(self, deadline: Deadline) -> None:
        """Cut the power without asking the guest; wait for the VM's locks."""
        self._stop(deadline, soft_s=0)
        self._journal.state("power cut")

    def _stop(self, deadline: Deadline, *, soft_s: float) -> None:
        self._ssh.close()
        self._vmrun.stop_and_verify(self._files.vmx, deadline, soft_s=soft_s)
