"""A run of the shipped lab file, with its journal where a run has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hypervisor import FakeHypervisor
from run_samples import RUN_ID, context_of, machine_of, no_facts, no_resumption, selection_of

from harness.core.deadline import SessionClock
from harness.core.layout import RunFiles
from harness.lab.lab import Lab
from harness.lab.selection import Selection
from harness.machine.context import RunContext
from harness.results.journal import Journal


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    return FakeHypervisor()


@pytest.fixture
def selection(tmp_path: Path) -> Selection:
    return selection_of(tmp_path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(RunFiles(tmp_path / "reports" / RUN_ID).events)
    yield journal
    journal.close()


@pytest.fixture
def clock() -> SessionClock:
    return SessionClock()


@pytest.fixture
def context(selection: Selection, hypervisor: FakeHypervisor, journal: Journal, clock: SessionClock) -> RunContext:
    return context_of(selection, hypervisor, journal, clock)


@pytest.fixture
def lab(context: RunContext, clock: SessionClock, selection: Selection) -> Iterator[Lab]:
    machines = [machine_of(context, machine.name) for machine in context.plan.machines]
    lab = Lab(clock, context, machines, no_facts, no_resumption(selection.plan))
    yield lab
    lab.stop()
