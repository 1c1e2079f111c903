"""Fixtures of the tests of a lab."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from harness.config.model import LabSpec
from harness.core.verdict import Phase
from harness.plugin.lab_session import KEY, session_of
from harness.plugin.requested import machine_of, phase_of
from harness.results.plain_text import plain

if TYPE_CHECKING:
    from harness.lab.lab import Lab
    from harness.plugin.opening import LabRun


_SHOWN = 500  # characters of an expected or seen value in the report


@pytest.fixture(scope="session")
def _run(pytestconfig: pytest.Config) -> LabRun:
    session = session_of(pytestconfig)
    if session is None:
        pytest.fail("no lab here: run `pytest scenarios/`", pytrace=False)
    from harness.plugin.opening import open_run  # noqa: PLC0415 - saves 400 ms where tests are only collected

    return open_run(session, pytestconfig)


@pytest.fixture(scope="session")
def lab(_run: LabRun) -> Lab:
    """The lab; the first test that uses it starts its machines."""
    return _run.lab


@pytest.fixture
def prove(request: pytest.FixtureRequest, _run: LabRun) -> Callable[[str], None]:
    """Assert a check of the test's phase (and machine): `prove("vmx")`."""
    phase, machine = phase_of(request.node), machine_of(request.node)
    if phase is None:
        pytest.fail("a test that uses `prove` needs a `phase` marker", pytrace=False)
    return lambda check: _run.proof.check(machine, phase, check, request.node)


@pytest.fixture
def promised(request: pytest.FixtureRequest) -> Callable[[object, object], None]:
    """Record what a guest test expects and sees: `promised(expected, seen)`.

    The report shows both.
    """

    def record(expected: object, seen: object) -> None:
        known = [item for item in request.node.user_properties if item[0] not in ("expected", "seen")]
        texts = {"expected": expected, "seen": seen}
        request.node.user_properties[:] = [*known, *((key, _one_line(value)) for key, value in texts.items())]

    return record


def _one_line(value: object) -> str:
    text = " ".join(plain(str(value)).split()) or "nothing"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


@pytest.fixture(scope="session")
def spec(pytestconfig: pytest.Config) -> LabSpec:
    """The lab file with its overlay."""
    return pytestconfig.stash[KEY].selection.spec


@pytest.fixture
def host(request: pytest.FixtureRequest, _run: LabRun, machine_name: str) -> Any:
    """The finished guest as a testinfra host, over the machine's SSH connection."""
    _run.proof.require(machine_name, phase_of(request.node) or Phase.GUESTS)
    found = _run.host(machine_name)
    lost = found.backend.lost
    if lost is not None:
        pytest.skip(f"blocked: {machine_name} does not answer any more: {lost.what}")
    return found
