"""The pytest plugin: options, fixtures and hooks. It translates between pytest and the lab, and decides nothing.

It does nothing unless a lab is asked for: a path on the command line that is in, or holds, a directory with a
`lab.yaml`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from harness.config.model import Keep, LabSpec
from harness.core.best_effort import run_and_collect_error
from harness.core.errors import HarnessError, UsageError
from harness.core.layout import RunFiles
from harness.core.verdict import Phase, Status
from harness.guest.testinfra_backend import lab_host
from harness.lab.closing import RunEnd, close_run
from harness.lab.evidence.collector import Collector
from harness.lab.keep_policy import overdue
from harness.lab.lab import Lab
from harness.lab.opening import journal_run_start, open_lab
from harness.lab.required_claims import judge_claims_of
from harness.lab.selection import Selection, kept_until, lock, new_run_id, select
from harness.plugin.assertions import Proof, mask
from harness.plugin.options import add_options
from harness.plugin.progress import Progress
from harness.plugin.requested import (
    LAB_FILE,
    asked_by,
    checks_for,
    lab_directory,
    machine_of,
    marked_claims,
    needs_of,
    phase_of,
)
from harness.plugin.terminal import say_at_once, writer
from harness.results.claim_rules import Asked
from harness.results.journal import Journal
from harness.system.ports import HeldPorts
from harness.system.signals import termination_as_ctrl_c
from harness.system.stdio import use_utf8_output

_BACKSTOP_FACTOR = 1.5  # pytest-timeout fires only when our own deadlines, all of them together, did not


@dataclass
class LabSession:
    """What one pytest session knows of its lab."""

    selection: Selection
    scenarios: Path
    run_id: str
    run: RunFiles
    lab: Lab | None = None
    progress: Progress | None = None
    proof: Proof | None = None
    items: list[pytest.Item] = field(default_factory=list)
    deselected: list[pytest.Item] = field(default_factory=list)
    asked: Asked = field(default_factory=Asked)
    end: RunEnd | None = None
    problems: tuple[str, ...] = ()  # what could not be done, as text
    hosts: dict[str, Any] = field(default_factory=dict)  # one testinfra host per machine: a new one asks who it is


_SESSION = pytest.StashKey[LabSession]()
_CLEANUP = pytest.StashKey[contextlib.ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a lab."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the lab file and find the hypervisor; wrong input ends pytest with exit code 4."""
    config.addinivalue_line("markers", "phase(name): the phase of the lab that the test belongs to")
    config.addinivalue_line("markers", "claim(name, ...): the claims that a test of the guests counts for")
    directory = lab_directory(config)
    if directory is None:
        return
    use_utf8_output()
    if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "a lab has one session: pytest-xdist (-n) would build it once per worker\n"
            "  remedy:   leave out -n; the machines work in parallel anyway"
        )
    option = config.option
    stack = config.stash[_CLEANUP] = contextlib.ExitStack()
    try:
        selection = select(option.lab or directory / LAB_FILE, vmrun=option.vmrun, overlay=option.overlay)
        if not option.collectonly:
            stack.enter_context(lock(selection, say_at_once))
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    run_id = new_run_id()
    reports = (option.reports or config.rootpath / "reports").resolve()
    session = config.stash[_SESSION] = LabSession(selection, directory, run_id, RunFiles(reports / run_id))
    if option.collectonly:
        return
    try:
        session.run.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise pytest.UsageError(f"cannot write results: {error}\n  remedy:   give another --reports") from error
    if not option.xmlpath:
        option.xmlpath = str(session.run.junit)
    stack.enter_context(termination_as_ctrl_c())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the lab."""
    stack = config.stash.get(_CLEANUP, None)
    if stack is not None:
        stack.close()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which lab runs on what."""
    session = config.stash.get(_SESSION, None)
    if session is None:
        return []
    selection = session.selection
    overlay = f", overlay {selection.overlay}" if selection.overlay else ""
    return [
        f"lab: {selection.spec.name} ({selection.lab_file}{overlay})",
        f"hypervisor: {selection.hypervisor.kind.value} {selection.hypervisor.version}",
        f"machines: {selection.vm_directory}",
        f"results: {session.run.directory}",
        *overdue(kept_until(selection)),
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once per check that its phase declares, and once per machine."""
    session = metafunc.config.stash.get(_SESSION, None)
    if session is None:
        return
    machines = list(session.selection.spec.machines)
    if "check" in metafunc.fixturenames:
        metafunc.parametrize("check", checks_for(metafunc.definition, machines))
    if "machine_name" in metafunc.fixturenames:
        metafunc.parametrize("machine_name", machines)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put the test at the place of its phase, and behind a backstop."""
    phase = phase_of(item)
    session = item.config.stash.get(_SESSION, None)
    if phase is None or session is None:
        return
    deadlines = session.selection.spec.deadlines_s
    total = sum(int(value) for value in deadlines.model_dump().values())
    item.add_marker(pytest.mark.order(phase.number + 1))
    item.add_marker(pytest.mark.timeout(total * _BACKSTOP_FACTOR))
    item.user_properties.append(("phase", phase.value))
    try:
        marked_claims(item)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    machine = machine_of(item)
    if machine is not None:
        item.user_properties.append(("machine", machine))


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Remember what was collected and not selected."""
    session = items[0].config.stash.get(_SESSION, None) if items else None
    if session is not None:
        session.deselected += items


def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember which tests ask for which machines."""
    mine = session.config.stash.get(_SESSION, None)
    if mine is not None:
        mine.items = [item for item in session.items if phase_of(item) is not None]


@pytest.fixture(scope="session")
def _work(pytestconfig: pytest.Config) -> tuple[Lab, Proof]:
    session = pytestconfig.stash.get(_SESSION, None)
    if session is None:
        pytest.fail("no lab here: run `pytest scenarios/`", pytrace=False)
    journal = Journal(session.run.events)
    pytestconfig.stash[_CLEANUP].callback(journal.close)
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    session.progress = Progress(journal, writer(pytestconfig, reporter))
    machines = list(session.selection.spec.machines)
    needs, with_cluster = needs_of(session.items, machines)
    session.asked = asked_by(session.items, session.deselected, needs, session.scenarios, machines)
    try:
        ports = pytestconfig.stash[_CLEANUP].enter_context(HeldPorts())
        opened = open_lab(session.selection, session.run, journal, ports, pytestconfig.option.again)
        journal_run_start(opened, session.selection, pytestconfig.invocation_params.args, session.asked)
    except (HarnessError, OSError) as error:
        wrong_input = isinstance(error, UsageError)
        status = pytest.ExitCode.USAGE_ERROR if wrong_input else pytest.ExitCode.TESTS_FAILED
        pytest.exit(f"the lab cannot be opened: {error}", returncode=status)
    pytestconfig.stash[_CLEANUP].callback(opened.stop)  # before journal, ports and lock are let go
    proof = Proof(opened, journal, session.progress.flush)
    session.lab, session.proof = opened, proof
    opened.start(needs, with_cluster=with_cluster)
    return opened, proof


@pytest.fixture(scope="session")
def lab(_work: tuple[Lab, Proof]) -> Lab:
    """The lab, working since the first test that asks for it."""
    return _work[0]


@pytest.fixture(scope="session")
def _proof(_work: tuple[Lab, Proof]) -> Proof:
    return _work[1]


@pytest.fixture
def prove(request: pytest.FixtureRequest, _proof: Proof) -> Callable[[str], None]:
    """Assert a check of the test's phase (and machine): `prove("vmx")`."""
    phase, machine = phase_of(request.node), machine_of(request.node)
    if phase is None:
        pytest.fail("a test that proves something has a `phase` marker", pytrace=False)
    return lambda check: _proof.check(machine, phase, check)


@pytest.fixture(scope="session")
def spec(pytestconfig: pytest.Config) -> LabSpec:
    """The lab file as it is used, overlay included."""
    return pytestconfig.stash[_SESSION].selection.spec


@pytest.fixture
def host(request: pytest.FixtureRequest, lab: Lab, spec: LabSpec, _proof: Proof, machine_name: str) -> Any:
    """The finished guest as a testinfra host, over the machine's one SSH connection."""
    _proof.require(machine_name, phase_of(request.node) or Phase.GUESTS)
    hosts = request.config.stash[_SESSION].hosts
    if machine_name not in hosts:
        machine = lab.machines[machine_name]
        limit_s = spec.deadlines_s.guest_command
        hosts[machine_name] = lab_host(machine.ssh.channel, machine_name, limit_s, Collector(machine).condition)
    lost = hosts[machine_name].backend.lost
    if lost is not None:
        pytest.skip(f"blocked: {machine_name} does not answer any more: {lost.what}")
    return hosts[machine_name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Journal the outcome of each lab test."""
    report = yield
    session = item.config.stash.get(_SESSION, None)
    phase = phase_of(item)
    if session is not None and session.proof is not None and phase is not None:
        told = run_and_collect_error("a test's outcome", partial(session.proof.note, report, phase, machine_of(item)))
        session.problems = tuple(dict.fromkeys((*session.problems, *told)))
        mask(report)
    return report


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Judge and end the session, after pytest's own results are written, and also where they cannot be."""
    mine = session.config.stash.get(_SESSION, None)
    if mine is None or mine.lab is None or mine.proof is None:
        return (yield)
    try:
        yield
    except OSError as error:
        mine.problems += (f"pytest's own results: {error}",)
    finally:
        mine.problems += run_and_collect_error("the verdicts of the guests", mine.proof.finish)
        hidden = any(verdict.status in (Status.FAIL, Status.ERROR) for verdict in mine.lab.verdicts.recorded())
        held_back = any(claim.holds_back for claim in judge_claims_of(mine.lab, mine.asked))
        if session.exitstatus == pytest.ExitCode.OK and (hidden or held_back or not mine.proof.passed):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        option = session.config.option
        keep = Keep(option.keep or mine.selection.spec.keep)
        status, junit = int(session.exitstatus), Path(option.xmlpath)
        mine.end = close_run(mine.lab, keep, status, junit=junit, problems=mine.problems)
        session.exitstatus = mine.end.exit_status
    return None


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Say what is proven, where the report is, and how to get in."""
    session = config.stash.get(_SESSION, None)
    if session is None or session.lab is None or session.progress is None or session.end is None:
        return
    session.progress.flush()
    terminalreporter.section("lab")
    for line in session.progress.summary(session.lab, session.end):
        terminalreporter.write_line(line)
