from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.plugin.guards import check_host, check_lab

OURS, TESTINFRAS = "harness.plugin.fixtures", "testinfra.plugin"


def item_with(**fixtures: tuple[str, ...]) -> Any:
    """Return a test with fixtures, each as the modules that define it: the last one counts."""
    definitions = {
        name: [SimpleNamespace(func=SimpleNamespace(__module__=module)) for module in modules]
        for name, modules in fixtures.items()
    }
    return SimpleNamespace(nodeid="t.py::t", _fixtureinfo=SimpleNamespace(name2fixturedefs=definitions))


@pytest.mark.parametrize(
    "item",
    [
        item_with(),
        item_with(lab=(TESTINFRAS,)),
        item_with(host=(OURS,)),
        item_with(host=(TESTINFRAS, OURS)),
        SimpleNamespace(nodeid="a doctest"),
    ],
)
def test_a_test_with_the_guest_as_its_host_may_run(item: Any) -> None:
    check_host(item)


@pytest.mark.parametrize(
    ("item", "named"),
    [
        (item_with(host=(OURS, "conftest")), "host of conftest"),
        (item_with(host=(OURS,), _testinfra_host=(TESTINFRAS,)), "_testinfra_host of testinfra.plugin"),
    ],
)
def test_another_host_is_refused(item: Any, named: str) -> None:
    with pytest.raises(UsageError, match=f"the fixture {named} is not a machine of the lab"):
        check_host(item)


def test_a_test_of_another_lab_is_refused(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    for name in ("one", "two"):
        (root / name).mkdir()
        (root / name / "lab.yaml").touch()
    item: Any = SimpleNamespace(nodeid="t.py::t", path=root / "one" / "test_x.py")
    check_lab(item, root / "one")
    with pytest.raises(UsageError, match="a test of another lab"):
        check_lab(item, root / "two")


def test_a_test_outside_every_lab_may_run(tmp_path: Path) -> None:
    item: Any = SimpleNamespace(nodeid="t.py::t", path=tmp_path / "test_x.py")
    check_lab(item, tmp_path / "lab")
