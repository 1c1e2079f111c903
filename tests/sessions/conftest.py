"""Real pytest runs of the repository's scenarios, without a machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

for _shared in ("", "seed"):
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / _shared))

from .fake_lab import FakeFacts, FakeLab, build_seed_directory  # noqa: E402  (the stand-ins need the path above)


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_seed_directory(tmp_path_factory.mktemp("seeds"))


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> FakeFacts:
    """A host with room, which a test may take away."""
    known = FakeFacts()
    memory = lambda: SimpleNamespace(available=known.free_memory, total=64 << 30)  # noqa: E731  (two of a kind)
    disk = lambda _: SimpleNamespace(free=known.free_disk)  # noqa: E731  (as above)
    monkeypatch.setattr(psutil, "virtual_memory", memory)
    monkeypatch.setattr(psutil, "disk_usage", disk)
    return known


@pytest.fixture
def fake_lab(
    pytester: pytest.Pytester, seeds: Path, facts: FakeFacts, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeLab]:
    # With CI set, pytest writes every failure a second time, in its summary.
    for name in ("PYTEST_ADDOPTS", "VMRUN_PATH", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAB_CACHE_DIR", str(pytester.path / "cache"))
    lab = FakeLab(pytester, seeds, facts)
    yield lab
    lab.close()
