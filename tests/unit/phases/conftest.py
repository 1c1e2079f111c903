"""The context of a run of the shipped lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hypervisor import FakeHypervisor
from run_samples import context_of, selection_of

from harness.machine.context import RunContext
from harness.results.journal import Journal


@pytest.fixture
def context(tmp_path: Path) -> Iterator[RunContext]:
    journal = Journal(tmp_path / "events.jsonl")
    yield context_of(selection_of(tmp_path), FakeHypervisor(), journal)
    journal.close()
