"""Hooks of collection: find the lab, select its hypervisor, order the tests.

`harness.plugin.entry` loads them where the command line names a lab. The hooks of a run are in `run_hooks`, which is
loaded for a run only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.core.errors import HarnessError, UsageError
from harness.core.layout import RunFiles
from harness.core.temporary_files import check_writable
from harness.lab.keep_policy import overdue
from harness.lab.selection import Selection, kept_until, lock, new_run_id, select
from harness.plugin.guards import check_host, check_lab
from harness.plugin.lab_session import KEY, LabSession, session_of
from harness.plugin.locate import LAB_FILE, lab_directory, results_directory
from harness.plugin.requested import checks_for, machine_of, marked_claims, phase_of
from harness.plugin.terminal import usage_error, write_early
from harness.results.plain_text import plain
from harness.system.signals import termination_as_ctrl_c
from harness.system.stdio import use_utf8_output
from harness.system.windows.awake import kept_awake

_CACHE_WRITERS = ("lfplugin", "nfplugin", "stepwiseplugin")  # pytest's names
_BACKSTOP_FACTOR = 1.5  # pytest-timeout fires only after the sum of all deadlines of the lab.


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the lab file, find the hypervisor, and lock the lab.

    Wrong input ends pytest with exit code 4.
    """
    configure(config, Steps())


@dataclass(frozen=True)
class Steps:
    """The steps of the configuration that ask or change the host."""

    select: Callable[..., Selection] = select
    lock: Callable[[Selection, Callable[[str], None]], AbstractContextManager[object]] = lock
    kept_awake: Callable[[], AbstractContextManager[None]] = kept_awake


def configure(config: pytest.Config, steps: Steps) -> None:
    """Open the session of a lab, if the command line leads to one.

    Raises:
        UsageError: Wrong input.
    """
    directory = lab_directory(config)
    if directory is None:
        return
    use_utf8_output()
    _check_interpreter(config)
    option = config.option
    stack = contextlib.ExitStack()
    config.add_cleanup(stack.close)  # lock, ports, journal, signals
    try:
        selection = steps.select(option.lab or directory / LAB_FILE, vmrun=option.vmrun, overlay=option.overlay)
        if not option.collectonly:
            stack.enter_context(steps.lock(selection, write_early))
    except HarnessError as error:
        raise usage_error(error) from error
    run_id = new_run_id()
    reports = (option.reports or results_directory(directory)).resolve()
    session = config.stash[KEY] = LabSession(selection, directory, run_id, RunFiles(reports / run_id), stack)
    if option.collectonly:
        return
    try:
        session.run.directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise usage_error(f"cannot write results: {error}\n  remedy:   give another --reports") from error
    if not option.xmlpath:
        option.xmlpath = str(session.run.junit)
    stack.enter_context(termination_as_ctrl_c())
    stack.enter_context(steps.kept_awake())
    config.pluginmanager.import_plugin("harness.plugin.run_hooks")


def _check_interpreter(config: pytest.Config) -> None:
    """Refuse a Python that skips assertions, and workers that would each build the lab.

    Raises:
        UsageError: It is one of these.
    """
    if not __debug__:
        raise pytest.UsageError(
            "Python runs without assertions (PYTHONOPTIMIZE or -O): every test of a guest would pass\n"
            "  remedy:   unset PYTHONOPTIMIZE, and start Python without -O"
        )
    if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "a lab cannot run under pytest-xdist: each worker would build it again\n"
            "  remedy:   leave out -n; the machines of a lab run in parallel without it"
        )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remove the plugins that write pytest's cache where it cannot be written.

    At the end of a run on Windows they would try 2,147,483,647 names: see `harness.core.temporary_files`.
    """
    keep_cache_where_writable(session.config, check_writable)


def keep_cache_where_writable(config: pytest.Config, check: Callable[[Path], object]) -> None:
    """Unregister the plugins that write pytest's cache if `check` raises for its directory."""
    if not config.pluginmanager.has_plugin("cacheprovider"):
        return  # `-p no:cacheprovider`: there is no cache
    cache = config.rootpath / str(config.getini("cache_dir"))
    try:
        check(next(place for place in (cache, *cache.parents) if place.is_dir()))
    except OSError:
        for name in _CACHE_WRITERS:
            if (plugin := config.pluginmanager.get_plugin(name)) is not None:
                config.pluginmanager.unregister(plugin)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return the lab, its hypervisor, and the directories of machines and results."""
    session = session_of(config)
    if session is None:
        return []
    selection = session.selection
    overlay = f", overlay {selection.overlay}" if selection.overlay else ""
    lines = [
        f"lab: {selection.spec.name} ({selection.lab_file}{overlay})",
        f"hypervisor: {selection.hypervisor.kind.value} {selection.hypervisor.version}",
        f"machines: {selection.vm_directory}",
        f"results: {session.run.directory}",
        *overdue(kept_until(selection)),
    ]
    return [plain(line) for line in lines]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test by the checks of its phase and by the machines."""
    session = session_of(metafunc.config)
    if session is None:
        return
    machines = list(session.selection.spec.machines)
    if "check" in metafunc.fixturenames:
        metafunc.parametrize("check", checks_for(metafunc.definition, machines))
    if "machine_name" in metafunc.fixturenames:
        metafunc.parametrize("machine_name", machines)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Check the test, order it by its phase, and set its backstop time limit."""
    phase = phase_of(item)
    session = session_of(item.config)
    if session is None:
        return
    try:
        check_host(item)
        if phase is not None and item.config.option.lab is None:
            check_lab(item, session.scenarios)
        marked_claims(item)
    except UsageError as error:
        raise usage_error(error) from error
    if phase is None:
        return
    deadlines = session.selection.spec.deadlines_s
    total = sum(int(value) for _, value in deadlines)
    item.add_marker(pytest.mark.order(phase.number + 1))
    item.add_marker(pytest.mark.timeout(total * _BACKSTOP_FACTOR))
    item.user_properties.append(("phase", phase.value))
    machine = machine_of(item)
    if machine is not None:
        item.user_properties.append(("machine", machine))


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Record the tests that were collected and not selected."""
    session = session_of(items[0].config) if items else None
    if session is not None:
        session.deselected += items


def pytest_collection_finish(session: pytest.Session) -> None:
    """Record the selected tests of the lab."""
    mine = session_of(session.config)
    if mine is not None:
        mine.items = [item for item in session.items if phase_of(item) is not None]
