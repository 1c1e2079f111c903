"""Collect the evidence of one machine, before it is deleted.

From a machine without a fault a few files are collected; from one that failed, everything, within a time limit of its
own. Where its guest does not answer there are the console, the screen, the hypervisor's files and, once the machine is
off, its disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from harness.core.best_effort import error_text
from harness.core.deadline import Deadline
from harness.core.errors import HarnessError
from harness.core.files import read_end
from harness.core.secret import redact
from harness.core.text import decode
from harness.guest.channel import CommandTimeout
from harness.guest.diagnosis import Source
from harness.lab.evidence.addresses import tools_address, wrong_address
from harness.lab.evidence.guest_files import LIMIT_BYTES, QUESTIONS, Question
from harness.lab.evidence.offline_disk import read_files
from harness.machine.machine import Machine
from harness.machine.screen import NAME as SCREEN
from harness.vmrun.errors import VmPaused
from harness.vmrun.power import PowerState

Texts = dict[Source, str]

CHEAP_S = 20.0
COMPLETE_S = 90.0
_LOGIN_S = 10.0
_CONDITION_S = 10.0
_SCREEN_S = 30.0


class Collector:
    """Collects evidence of one machine into the run directory.

    Nothing is raised: the journal notes what cannot be collected.

    Attributes:
        texts: What is searched for known causes.
        silent: Whether the guest did not answer.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.target = machine.context.run.machine(machine.name)
        self.texts: Texts = {}
        self.silent = False

    def collect(self, *, complete: bool) -> None:
        """Collect a little evidence, or all of it."""
        deadline = self.machine.deadline(COMPLETE_S if complete else CHEAP_S)
        self.collect_host_files()
        self._attempt("the guest's files", lambda: self._collect_guest(deadline, complete=complete))

    def _collect_guest(self, deadline: Deadline, *, complete: bool) -> None:
        if not self.machine.console.started:
            return
        if complete:
            self._attempt("a picture of the screen", self._screen)
        self._ask(deadline, complete=complete)
        if complete and self.silent:
            self.read_disk(deadline)

    def read_disk(self, deadline: Deadline) -> None:
        """Copy the guest's logs from its disk, if the VM is off."""
        self._attempt("the stopped disk", lambda: self._from_disk(deadline))

    def stop_and_read_disk(self) -> None:
        """Power off an unresponsive VM and copy its logs from the disk."""
        if not self.silent or not self.machine.console.started:
            return
        deadline = Deadline(self.machine.context.plan.spec.deadlines_s.power)
        with contextlib.suppress(HarnessError):  # The deletion reports a VM that does not go off.
            self.machine.context.vmrun.stop_and_verify(self.machine.plan.files.vmx, deadline, soft_s=0)
        self.read_disk(Deadline(COMPLETE_S))

    def collect_host_files(self) -> None:
        """Copy the VMX, the hypervisor's logs and the console."""
        self._attempt("the run directory", lambda: self.target.mkdir(parents=True, exist_ok=True))
        self._attempt("the hypervisor's files", self._host_files)
        log = self.machine.console.log
        if log is not None:
            self.texts[Source.CONSOLE] = self.machine.console.text
            self._attempt("the console", lambda: self._found(log.name))

    def condition(self) -> str:
        """Return why the guest is silent, as seen from outside, or nothing.

        The VM is off, suspended or paused, or has another address than the planned one by its console, or by its Tools
        where there is no connection. Never raises.
        """
        seen: list[str] = []
        self._attempt("why the guest is silent", lambda: seen.append(self._condition()))
        return "".join(seen)

    def _condition(self) -> str:
        vmrun, vmx = self.machine.context.vmrun, self.machine.plan.files.vmx
        deadline = self.machine.deadline(_CONDITION_S)
        try:
            state = vmrun.power_state(vmx, deadline)
            if state is not PowerState.RUNNING:
                return f"the machine is {state}"
            address = vmrun.guest_ip_address(vmx, deadline)
        except VmPaused:
            return "the machine is paused"
        except HarnessError:
            address = None  # Any other error of Tools does not explain the guest's silence.
        console = self.machine.console.text
        expected, subnet = self.machine.plan.address, self.machine.context.plan.spec.network.subnet
        wrong = wrong_address(console, str(expected))
        return wrong or ("" if self.machine.ssh.connected else tools_address(address, expected, subnet))

    # -- host ----------------------------------------------------------------------------------------------------

    def _host_files(self) -> None:
        files = self.machine.plan.files
        logs = [path for path in files.directory.glob("*.log") if not path.name.startswith("serial-")]
        for source in (files.vmx, *sorted(logs)):
            if source.is_file():
                self._write(source.name, decode(read_end(source, LIMIT_BYTES)))
        log = self.target / files.hypervisor_log.name
        if log.is_file():
            self.texts[Source.HYPERVISOR] = log.read_text(encoding="utf-8")

    def _screen(self) -> None:
        picture = self.target / SCREEN
        self.machine.capture_screen(picture, self.machine.deadline(_SCREEN_S))
        self._found(picture.name)

    def _from_disk(self, deadline: Deadline) -> None:
        if self.machine.power.is_running(deadline):
            self._note("the disk was not read: the machine runs, and its disk is in use")
            return
        wanted = {question.path: question for question in QUESTIONS if question.path.startswith("/var/")}
        scratch = self.target / "disk"
        try:
            found = read_files(self.machine.plan.files.disk, list(wanted), scratch, deadline)
            for path, copy in found.items():
                self._answer(wanted[path], decode(read_end(copy, LIMIT_BYTES)))
            self._note(f"read from the stopped disk: {', '.join(sorted(found))}")
        finally:
            for left in scratch.glob("*"):
                left.unlink()
            if scratch.is_dir():
                scratch.rmdir()

    # -- guest ---------------------------------------------------------------------------------------------------

    def _ask(self, deadline: Deadline, *, complete: bool) -> None:
        questions = [question for question in QUESTIONS if complete or question.cheap]
        try:
            self.machine.ssh.reconnect(deadline.at_most(_LOGIN_S))
            for question in questions:
                self._question(question, deadline)
        except HarnessError as error:
            self.silent = True
            self._note(f"the guest was not asked for evidence to the end: {error.what}")

    def _question(self, question: Question, deadline: Deadline) -> None:
        limit_s = min(question.limit_s, max(1.0, deadline.remaining))
        try:
            reply = self.machine.ssh.run(question.shell, limit_s, as_root=True)
        except CommandTimeout as slow:
            if not question.slow or deadline.expired:
                raise
            self._note(f"{question.name} could not be collected: {slow.what}")
            return
        if reply.ok and reply.stdout:
            self._answer(question, reply.stdout)

    def _answer(self, question: Question, text: str) -> None:
        self._write(question.name, text)
        if question.source is not None:
            self.texts[question.source] = self.texts.get(question.source, "") + text

    # -- run directory ---------------------------------------------------------------------------------------------

    def _attempt(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001  (evidence is never the reason for which a run ends)
            self._note(f"{what} could not be collected: {error_text(error)}")

    def _write(self, name: str, text: str) -> None:
        (self.target / name).write_text(redact(text), encoding="utf-8", errors="replace", newline="\n")
        self._found(name)

    def _found(self, name: str) -> None:
        if (self.target / name).is_file():
            path = f"{self.machine.name}/{name}"
            self.machine.journal.evidence(path)

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError):  # The phases report a full disk.
            self.machine.journal.note(text)
