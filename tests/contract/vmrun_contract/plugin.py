"""`pytest tests/contract`: one suite for every `vmrun`.

Without options the tests run against the transcripts beside it and against `vmrun-qemu`. `--vmrun PATH` runs them
against that program alone, `--vmrun none` against the transcripts alone.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from harness.core.errors import HarnessError
from harness.vmrun.discovery import EMBEDDED, Hypervisor, Kind, find_hypervisor
from vmrun_contract import transcript
from vmrun_contract.behaviour import SOURCES, all_behaviours, of_function
from vmrun_contract.bench import Bench
from vmrun_contract.guests import PASSWORD_VARIABLE, Account, Guest, brought_up, of_the_image, replayed
from vmrun_contract.live import LiveBench
from vmrun_contract.machines import Mould
from vmrun_contract.page import PAGE, page
from vmrun_contract.replaying import ReplayBench
from vmrun_contract.results import Results
from vmrun_contract.transcript import Transcript

SUITE = Path(__file__).parents[1]
_RESULTS = pytest.StashKey[Results]()
_TRANSCRIPTS = pytest.StashKey[dict[str, tuple[Path, Transcript]]]()
_NO_GUEST = (
    "no guest with Tools: give --contract-guest VMX (off; it is cloned) and --contract-user NAME, "
    f"and the password in the variable {PASSWORD_VARIABLE}"
)
_OWN_VARIABLES = ("VMRUN_QEMU_", "DISPLAY", "WAYLAND_DISPLAY")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "contract of vmrun (tests/contract)")
    group.addoption("--behaviours", action="store_true", help="print every line of behaviour that is tested, and end")
    group.addoption("--write-page", action="store_true", help="write docs/vmrun.md, and end")
    group.addoption("--contract-guest", type=Path, metavar="VMX", help="a guest with Tools, off: it is cloned")
    group.addoption("--contract-user", metavar="NAME", help=f"an account in it; its password is in {PASSWORD_VARIABLE}")
    group.addoption("--contract-results", type=Path, metavar="DIR", help="write answers and transcript there")
    group.addoption("--contract-transcripts", type=Path, metavar="DIR", help="replay these instead of the shipped ones")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "behaviour(verbs, line, confidence, settles): the line that the test fixes")
    config.addinivalue_line("markers", "guest: needs a guest with Tools")
    folder = config.getoption("--contract-transcripts", None) or SUITE / "transcripts"
    files = sorted(folder.glob("*.txt")) if config.getoption("--vmrun") in (None, "none") else []
    config.stash[_TRANSCRIPTS] = {
        path.stem: (path, transcript.parse(path.read_text(encoding="utf-8"))) for path in files
    }
    config.stash[_RESULTS] = Results()


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print the behaviours, or write the page, where that is asked for."""
    if config.getoption("--write-page", default=False):
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if not config.getoption("--behaviours", default=False):
        return None
    for item in all_behaviours():
        print(f"{item.confidence:<4} {' '.join(item.verbs) or 'grammar':<24} {item.line}")  # noqa: T201  (asked for)
    print("\n" + ", ".join(f"{letter}: {text}" for letter, text in SOURCES.items()))  # noqa: T201  (asked for)
    return 0


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the work-alike's own tests where another `vmrun` is asked for."""
    others = config.getoption("--vmrun") not in (None, EMBEDDED)
    return True if others and collection_path == SUITE / "vmrun_qemu" else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each bench that can answer it."""
    if "bench" not in metafunc.fixturenames:
        return
    recorded = metafunc.config.stash[_TRANSCRIPTS]
    names = [name for name, (_, script) in recorded.items() if metafunc.function.__name__ in script.sections]
    option = metafunc.config.getoption("--vmrun")
    live = [] if option == "none" else [_live_name(metafunc.config)]
    skipped = [pytest.param("", marks=pytest.mark.skip(reason="no transcript has this"))]
    metafunc.parametrize("bench", live + names or skipped, indirect=True)


@pytest.fixture(scope="session")
def hypervisor(pytestconfig: pytest.Config) -> Hypervisor:
    """The `vmrun` of the live bench."""
    try:
        found = find_hypervisor(option=pytestconfig.getoption("--vmrun") or EMBEDDED)
    except HarnessError as error:
        pytest.skip(f"no vmrun: {error.what}: {error.detail or error.where}")
    if found.kind is Kind.EMBEDDED:
        return replace(found, env={**found.env, "VMRUN_QEMU_ACCEL": "tcg"})
    return found


@pytest.fixture(scope="session")
def mould(hypervisor: Hypervisor, tmp_path_factory: pytest.TempPathFactory) -> Mould:
    return Mould(hypervisor, tmp_path_factory.mktemp("mould"))


@pytest.fixture(scope="session")
def guest_house(
    request: pytest.FixtureRequest, hypervisor: Hypervisor, mould: Mould, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiveBench, Guest]]:
    """The shared bench with a guest whose Tools answer."""
    account = _account(request.config)
    with pytest.MonkeyPatch.context() as patch:
        _forget_variables(hypervisor, patch)
        if account is None:
            if hypervisor.kind is Kind.VMWARE:
                pytest.skip(_NO_GUEST)
            yield of_the_image(request.getfixturevalue("real_guest"), hypervisor, mould)
            return
        directory = tmp_path_factory.mktemp("guest") / "bench"
        live = LiveBench.fresh(_live_name(request.config), hypervisor, directory, mould)
        try:
            guest = brought_up(live, account)
            live.entries.clear()
            yield live, guest
        finally:
            problems = live.close()
        assert problems == []


def _account(config: pytest.Config) -> Account | None:
    vmx, user = config.getoption("--contract-guest", None), config.getoption("--contract-user", None)
    password = os.environ.get(PASSWORD_VARIABLE)
    return Account(vmx, user, password) if vmx and user and password else None


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The bench of this test; its machines and files are gone afterwards."""
    results = request.config.stash[_RESULTS]
    name = request.function.__name__
    recorded = request.config.stash[_TRANSCRIPTS].get(request.param)
    if recorded is not None:
        replayed_bench = ReplayBench(*recorded, name, tmp_path)
        yield replayed_bench
        results.take(replayed_bench, name)
        return
    hypervisor: Hypervisor = request.getfixturevalue("hypervisor")
    _forget_variables(hypervisor, monkeypatch)
    found = of_function(name, request.function)
    missing = results.missing_verbs(hypervisor, found.verbs if found else ())
    if missing:
        pytest.skip(f"the usage text of this vmrun has no {', '.join(missing)}")
    if request.node.get_closest_marker("guest"):
        shared: LiveBench = request.getfixturevalue("guest_house")[0]
        yield shared
        results.take(shared, name)
        shared.forget()
        return
    live = LiveBench.fresh(request.param, hypervisor, tmp_path / "bench", request.getfixturevalue("mould"))
    yield live
    problems = live.close()
    results.take(live, name)
    assert problems == []


@pytest.fixture
def guest(request: pytest.FixtureRequest, bench: Bench) -> Guest:
    """The guest of this bench."""
    if isinstance(bench, LiveBench):
        found: Guest = request.getfixturevalue("guest_house")[1]
        return found
    return replayed(bench)


def _forget_variables(hypervisor: Hypervisor, patch: pytest.MonkeyPatch) -> None:
    """Remove this user's settings of the embedded hypervisor."""
    if hypervisor.kind is Kind.EMBEDDED:
        for variable in [key for key in os.environ if key.startswith(_OWN_VARIABLES)]:
            patch.delenv(variable)


def _live_name(config: pytest.Config) -> str:
    return "vmrun-qemu" if config.getoption("--vmrun") in (None, EMBEDDED) else "vmrun"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the lines of behaviour that the live bench does not show."""
    report = yield
    found = of_function(item.name, item.function) if isinstance(item, pytest.Function) else None
    bench = getattr(item, "funcargs", {}).get("bench")
    if report.failed and found is not None and isinstance(bench, LiveBench):
        crash = getattr(report.longrepr, "reprcrash", None)
        message = crash.message if crash else str(report.longrepr)
        item.config.stash[_RESULTS].surprise(found.line, bench.hide(message))
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Print the open questions that were answered, and where."""
    results = config.stash[_RESULTS]
    lines = results.summary()
    if not lines:
        return
    terminalreporter.section("open questions of vmrun")
    for line in lines:
        terminalreporter.write_line(line)
    folder = config.getoption("--contract-results", None)
    if folder is not None:
        for path in results.write(folder):
            terminalreporter.write_line(f"written: {path}")
    elif config.getoption("--vmrun") not in (None, "none", EMBEDDED):
        terminalreporter.write_line("give --contract-results DIR to have this as files that can be sent")
