"""A pytest session that collects the shipped lab file, as plain values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_hypervisor import FakeHypervisor
from run_samples import RUN_ID, context_of, machine_of, no_facts, no_resumption, selection_of

from harness.core.deadline import SessionClock
from harness.core.layout import RunFiles
from harness.lab.lab import Lab
from harness.lab.selection import Selection
from harness.plugin.lab_session import KEY, LabSession
from harness.results.journal import Journal


@pytest.fixture
def selection(tmp_path: Path) -> Selection:
    return selection_of(tmp_path)


@pytest.fixture
def lab_session(selection: Selection, tmp_path: Path) -> Iterator[LabSession]:
    with contextlib.ExitStack() as cleanup:
        yield LabSession(selection, tmp_path, RUN_ID, RunFiles(tmp_path / "reports" / RUN_ID), cleanup)


@pytest.fixture
def config(lab_session: LabSession) -> Any:
    """Be the configuration of a pytest session that collects that lab."""
    stash = pytest.Stash()
    stash[KEY] = lab_session
    return SimpleNamespace(
        stash=stash,
        option=SimpleNamespace(lab=None, again="fresh", keep=None, xmlpath=str(lab_session.scenarios / "junit.xml")),
        invocation_params=SimpleNamespace(args=(), dir=lab_session.scenarios),
        pluginmanager=SimpleNamespace(get_plugin=lambda name: None),
    )


@pytest.fixture
def journal(lab_session: LabSession) -> Iterator[Journal]:
    opened = Journal(lab_session.run.events)
    yield opened
    opened.close()


@pytest.fixture
def lab(selection: Selection, journal: Journal) -> Iterator[Lab]:
    clock = SessionClock()
    context = context_of(selection, FakeHypervisor(), journal, clock)
    machines = [machine_of(context, machine.name) for machine in context.plan.machines]
    lab = Lab(clock, context, machines, no_facts, no_resumption(selection.plan))
    yield lab
    lab.stop()
