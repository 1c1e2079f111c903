"""Refuse tests that would not test this session's lab."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.plugin import fixtures
from harness.plugin.locate import LAB_FILE, nearest_lab

_TESTINFRA = "_testinfra_host"  # testinfra's own fixture behind its `host`


def check_host(item: pytest.Item) -> None:
    """Check that the `host` of a test is the guest, as the fixture here.

    Another plugin's or a conftest's can be this computer, where an assertion on a guest could hold.

    Raises:
        UsageError: It is another fixture.
    """
    info = getattr(item, "_fixtureinfo", None)
    found = info.name2fixturedefs if info is not None else {}
    foreign = [name for name in ("host",) if name in found and found[name][-1].func.__module__ != fixtures.__name__]
    foreign += [_TESTINFRA] if _TESTINFRA in found else []
    if foreign:
        where = found[foreign[0]][-1].func.__module__
        raise UsageError(
            f"the fixture {foreign[0]} of {where} is not a machine of the lab",
            where=item.nodeid,
            remedy="use the fixture `host` of the lab, and give a fixture of your own another name",
        )


def check_lab(item: pytest.Item, directory: Path) -> None:
    """Check that a test of a lab lies in the lab of this session.

    Raises:
        UsageError: The nearest lab file is that of another lab.
    """
    nearest = _nearest(item.path.parent)
    if nearest is not None and nearest != directory:
        raise UsageError(
            f"a test of another lab: {nearest / LAB_FILE}",
            where=item.nodeid,
            remedy=f"run it by itself; this session has the lab of {directory}, or name a lab for all with --lab FILE",
        )


@lru_cache
def _nearest(directory: Path) -> Path | None:
    return nearest_lab(directory.resolve())
