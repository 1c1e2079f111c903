from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.lab.selection import Selection
from harness.plugin import hooks
from harness.plugin.lab_session import LabSession, session_of

MACHINES = ["k3s-master1", "k3s-worker1", "k3s-worker2"]


class FakeItem:
    """A collected test with its marks."""

    def __init__(self, config: Any, machine: str | None = None, **marks: str) -> None:
        self.config, self.marks, self.nodeid = config, marks, "test_x.py::test_x"
        self.callspec = SimpleNamespace(params={"machine_name": machine} if machine else {})
        self.path = config.invocation_params.dir / "test_x.py"
        self.added: dict[str, Any] = {}
        self.user_properties: list[tuple[str, object]] = []

    def get_closest_marker(self, name: str) -> Any:
        return SimpleNamespace(args=(self.marks[name],)) if name in self.marks else None

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.added[mark.name] = mark.args[0]


@pytest.fixture
def no_lab(tmp_path: Path) -> Any:
    """Be the configuration of a session whose command line leads to no lab."""
    return configured(tmp_path, tmp_path)


def configured(root: Path, directory: Path, **options: object) -> Any:
    known: dict[str, object] = {"lab": None, "vmrun": None, "overlay": None, "collectonly": True, "reports": None}
    return SimpleNamespace(
        args=[str(directory)],
        rootpath=root,
        invocation_params=SimpleNamespace(dir=root),
        option=SimpleNamespace(**{**known, **options}),
        stash=pytest.Stash(),
        cleanups=(cleanups := list[Any]()),
        add_cleanup=cleanups.append,
    )


def test_without_a_lab_nothing_is_read(no_lab: Any) -> None:
    hooks.pytest_configure(no_lab)
    assert session_of(no_lab) is None
    assert hooks.pytest_report_header(no_lab) == []
    assert no_lab.cleanups == []


def test_a_lab_file_with_a_problem_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("name: 1\n", encoding="utf-8")
    with pytest.raises(pytest.UsageError, match=r"lab\.yaml:1:"):
        hooks.pytest_configure(configured(tmp_path, tmp_path))


def test_a_lab_is_refused_under_xdist(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").touch()
    with pytest.raises(pytest.UsageError, match="leave out -n"):
        hooks.pytest_configure(configured(tmp_path, tmp_path, numprocesses=2))


@pytest.mark.parametrize("writable", [True, False])
def test_the_cache_of_pytest_is_written_only_where_it_can_be(
    request: pytest.FixtureRequest, tmp_path: Path, *, writable: bool
) -> None:
    names = ("lfplugin", "nfplugin")
    assert all(request.config.pluginmanager.get_plugin(name) for name in names), "pytest has renamed its plugins"
    manager = pytest.PytestPluginManager()
    for name in ("cacheprovider", *names):
        manager.register(object(), name)
    asked = []

    def fake_check(directory: Path) -> bool:
        asked.append(directory)
        if not writable:
            raise PermissionError(13, "Access is denied", str(directory))
        return True

    config = SimpleNamespace(rootpath=tmp_path, getini=lambda _: ".pytest_cache", pluginmanager=manager)
    hooks.keep_cache_where_writable(cast("pytest.Config", config), fake_check)
    assert asked == [tmp_path]
    assert [manager.has_plugin(name) for name in names] == [writable, writable]


def test_a_run_keeps_its_host_awake(tmp_path: Path) -> None:
    events = []

    @contextlib.contextmanager
    def fake_awake() -> Iterator[None]:
        events.append("awake")
        yield
        events.append("may sleep")

    (tmp_path / "lab.yaml").touch()
    selection = cast("Selection", SimpleNamespace())
    steps = hooks.Steps(
        select=lambda *_words, **_more: selection, lock=lambda *_: contextlib.nullcontext(), kept_awake=fake_awake
    )
    manager = SimpleNamespace(import_plugin=lambda _: None)
    config = configured(tmp_path, tmp_path, collectonly=False, xmlpath=None)
    config.pluginmanager = manager
    hooks.configure(config, steps)
    assert events == ["awake"]
    for close in config.cleanups:
        close()
    assert events == ["awake", "may sleep"]


def test_the_header_names_the_lab_and_its_places(config: Any, lab_session: LabSession) -> None:
    selection = lab_session.selection
    assert hooks.pytest_report_header(config) == [
        f"lab: airgap-lab ({selection.lab_file})",
        "hypervisor: vmware VMware",
        f"machines: {selection.vm_directory}",
        f"results: {lab_session.run.directory}",
    ]


class FakeMetafunc:
    """Records how a test is parametrized."""

    def __init__(self, config: Any, *names: str) -> None:
        self.config, self.fixturenames = config, names
        self.definition = FakeItem(config, phase="boot")
        self.params: dict[str, list[str]] = {}

    def parametrize(self, name: str, values: list[str]) -> None:
        self.params[name] = values


def test_a_test_is_parametrized_by_what_it_names(config: Any) -> None:
    metafunc: Any = FakeMetafunc(config, "check", "machine_name", "lab")
    hooks.pytest_generate_tests(metafunc)
    assert metafunc.params["machine_name"] == MACHINES
    assert metafunc.params["check"]
    assert metafunc.params.keys() == {"check", "machine_name"}


def test_a_test_outside_a_lab_is_not_parametrized(no_lab: Any) -> None:
    metafunc: Any = FakeMetafunc(no_lab, "check", "machine_name")
    hooks.pytest_generate_tests(metafunc)
    assert metafunc.params == {}


def test_a_test_is_ordered_by_its_phase_and_has_a_backstop(config: Any, lab_session: LabSession) -> None:
    first, later = FakeItem(config, phase="environment"), FakeItem(config, "k3s-worker1", phase="boot")
    for item in (first, later):
        hooks.pytest_itemcollected(cast(pytest.Item, item))
    assert 0 < first.added["order"] < later.added["order"]
    deadlines = lab_session.selection.spec.deadlines_s
    assert later.added["timeout"] > deadlines.boot + deadlines.packages
    assert first.user_properties == [("phase", "environment")]
    assert later.user_properties == [("phase", "boot"), ("machine", "k3s-worker1")]


def test_a_test_without_a_phase_is_left_alone(config: Any) -> None:
    item = FakeItem(config)
    hooks.pytest_itemcollected(cast(pytest.Item, item))
    assert (item.added, item.user_properties) == ({}, [])


def test_an_unknown_claim_is_wrong_usage(config: Any) -> None:
    item = FakeItem(config, phase="guests", claim="air-tight")
    with pytest.raises(pytest.UsageError, match="there is no claim 'air-tight'"):
        hooks.pytest_itemcollected(cast(pytest.Item, item))


def test_selected_and_deselected_tests_are_recorded(config: Any, lab_session: LabSession) -> None:
    mine, other, out = (cast(Any, FakeItem(config, **marks)) for marks in ({"phase": "boot"}, {}, {"phase": "boot"}))
    hooks.pytest_deselected([out])
    hooks.pytest_deselected([])
    hooks.pytest_collection_finish(cast(Any, SimpleNamespace(config=config, items=[mine, other])))
    assert (lab_session.items, lab_session.deselected) == ([mine], [out])
