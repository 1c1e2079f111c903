from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.plugin import entry, fixtures, hooks


class FakePlugins:
    """Records the plugins that are registered, by name."""

    def __init__(self) -> None:
        self.found: dict[str, object] = {}

    def register(self, plugin: object, name: str) -> None:
        self.found[name] = plugin

    def has_plugin(self, name: str) -> bool:
        return name in self.found


@pytest.fixture
def config(tmp_path: Path) -> Any:
    """Be the configuration of a session that is started in an empty directory."""
    lines: list[str] = []
    return SimpleNamespace(
        args=["."],
        invocation_params=SimpleNamespace(dir=tmp_path),
        option=SimpleNamespace(lab=None),
        pluginmanager=FakePlugins(),
        lines=lines,
        addinivalue_line=lambda name, line: lines.append(f"{name}: {line.partition('(')[0]}"),
    )


def item_of(config: Any, *marks: str) -> Any:
    marker = SimpleNamespace(args=marks) if marks else None
    return SimpleNamespace(
        config=config, nodeid="test_x.py::test_x", path=Path("test_x.py"), get_closest_marker=lambda name: marker
    )


def test_without_a_lab_only_the_marks_are_known(config: Any) -> None:
    entry.pytest_configure(config)
    assert config.lines == ["markers: phase", "markers: claim"]
    assert config.pluginmanager.found == {}


def test_with_a_lab_the_rest_is_loaded(config: Any, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").touch()
    entry.pytest_configure(config)
    assert list(config.pluginmanager.found.values()) == [hooks, fixtures]
    entry.pytest_itemcollected(item_of(config, "boot"))


def test_a_test_of_a_lab_is_refused_without_one(config: Any) -> None:
    with pytest.raises(pytest.UsageError, match="no lab file here"):
        entry.pytest_itemcollected(item_of(config, "boot"))


def test_tests_of_others_may_have_a_mark_of_that_name(config: Any) -> None:
    entry.pytest_itemcollected(item_of(config, "moon"))
    entry.pytest_itemcollected(item_of(config))
