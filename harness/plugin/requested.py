"""What the command line asks for: the lab, and the phases of its machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness.core.check_spec import CheckSpec
from harness.core.claims import Claim
from harness.core.errors import UsageError
from harness.core.verdict import Phase
from harness.phases import declared_checks, guest_check
from harness.plugin.scenario_module import ScenarioModule
from harness.results.claim_rules import Asked, place

_BY_TESTS = (Phase.ENVIRONMENT, Phase.GUESTS, Phase.CLUSTER)  # not asked of a machine by a later phase


def phase_of(item: pytest.Item) -> Phase | None:
    """Return the phase that the test is marked with."""
    marker = item.get_closest_marker("phase")
    return Phase(marker.args[0]) if marker else None


def machine_of(item: pytest.Item) -> str | None:
    """Return the machine that the test is about, or None."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("machine_name") if callspec else None


def checks_for(item: pytest.Item, machines: Sequence[str]) -> list[str]:
    """Return the names of the checks that the phase of the test declares.

    Raises:
        UsageError: Its phase declares none: a test without them would be left out in silence.
    """
    names = [spec.name for spec in declared_checks(machines) if spec.phase is phase_of(item)]
    if not names:
        raise pytest.UsageError(f"{item.nodeid}: the fixture `check` needs the mark of a phase that declares checks")
    return names


def marked_claims(item: pytest.Item) -> tuple[Claim, ...]:
    """Return the claims that a guest test is marked with.

    None without a mark.

    Raises:
        UsageError: There is no such claim.
    """
    marker = item.get_closest_marker("claim")
    if marker is None:
        return ()
    named = [str(name) for name in marker.args]
    known = [claim.value for claim in Claim]
    unknown = [name for name in named if name not in known]
    if unknown:
        remedy = f"name one of these: {', '.join(known)}"
        raise UsageError(f"there is no claim {unknown[0]!r}", where=item.nodeid, remedy=remedy)
    return tuple(Claim(name) for name in named)


def needs_of(items: Sequence[pytest.Item], machines: Sequence[str]) -> tuple[dict[str, Phase], bool]:
    """Return the last phase that is asked of each machine.

    The second value: whether the tests ask for the cluster.
    """
    needs: dict[str, Phase] = {}
    phases = [(phase_of(item), machine_of(item)) for item in items]
    for phase, machine in phases:
        if phase is None or phase is Phase.ENVIRONMENT:
            continue
        for name in [machine] if machine else machines:
            needs[name] = max(needs.get(name, phase), phase, key=lambda one: one.number)
    return needs, any(phase is Phase.CLUSTER for phase, _ in phases)


def asked_by(
    items: Sequence[pytest.Item],
    deselected: Sequence[pytest.Item],
    needs: Mapping[str, Phase],
    directory: Path,
    machines: Sequence[str],
) -> Asked:
    """Return what a session asks of the lab, and all declared checks.

    Args:
        directory: Where the tests of the lab are.
        machines: All of the lab.
    """
    uncollected = (*_left_out_modules(directory, items, deselected), *_named_modules(items))
    modules = [module for path in uncollected if (module := ScenarioModule.read(path)).has_guest_tests]
    declared = (
        *declared_checks(machines),
        *guest_checks((*items, *deselected)),
        *(guest_check(f"tests of {module.name}", module.claims) for module in modules),
    )
    places = asked_of(needs, items, deselected, guests_whole=not modules)
    return Asked(tuple(places), tuple(left_out_of(directory, items, deselected)), declared)


def guest_checks(items: Sequence[pytest.Item]) -> tuple[CheckSpec, ...]:
    """Return the checks that these tests are, each once for all machines."""
    found: dict[str, CheckSpec] = {}
    for item in items:
        machine = machine_of(item)
        if machine is not None and phase_of(item) is Phase.GUESTS:
            name = check_name(item.nodeid, machine)
            found.setdefault(name, guest_check(name, marked_claims(item)))
    return tuple(found.values())


def asked_of(
    needs: Mapping[str, Phase], items: Sequence[pytest.Item], deselected: Sequence[pytest.Item], *, guests_whole: bool
) -> list[str]:
    """Return what the session works through, as the claims name it.

    A machine goes through every phase up to the last that is asked of it. The guests phase is what its tests say: it
    counts where every test of the guests is selected for that machine.

    Args:
        guests_whole: Whether every module with tests of the guests was collected as a whole.
    """
    asked = [place(Phase.ENVIRONMENT, None)]
    for machine, last in needs.items():
        asked += [place(one, machine) for one in Phase if one.number <= last.number and one not in _BY_TESTS]
        selected = any(_is_guest(item, machine) for item in items)
        if guests_whole and selected and not any(_is_guest(item, machine) for item in deselected):
            asked.append(place(Phase.GUESTS, machine))
    if any(phase_of(item) is Phase.CLUSTER for item in items):
        asked.append(place(Phase.CLUSTER, None))
    return asked


def _is_guest(item: pytest.Item, machine: str) -> bool:
    return phase_of(item) is Phase.GUESTS and machine_of(item) == machine


def left_out_of(directory: Path, items: Sequence[pytest.Item], deselected: Sequence[pytest.Item]) -> list[str]:
    """Return the tests of the lab that were not selected.

    Those are modules without a test in the session, and single tests.

    Tests that the command line names one by one leave the others of their module out.
    """
    modules = [path.name for path in _left_out_modules(directory, items, deselected)]
    rest = [f"{path.name}: all but the named tests" for path in _named_modules(items)]
    return [*modules, *rest, *(item.nodeid for item in deselected if phase_of(item) is not None)]


def _left_out_modules(
    directory: Path, items: Sequence[pytest.Item], deselected: Sequence[pytest.Item]
) -> tuple[Path, ...]:
    there = {item.path for item in (*items, *deselected)}
    return tuple(path for path in sorted(directory.glob("test_*.py")) if path not in there)


def _named_modules(items: Sequence[pytest.Item]) -> tuple[Path, ...]:
    return tuple(sorted({item.path for item in items if item.config.args and _is_named(item)}))


def _is_named(item: pytest.Item) -> bool:
    """Return whether the command line names single tests of the item's module."""
    root = item.config.invocation_params.dir
    words = [word.partition("::") for word in item.config.args]
    paths = [((root / path).resolve(), bool(test)) for path, _, test in words]
    whole = any(not test and item.path.is_relative_to(path) for path, test in paths)
    return not whole and any(test and item.path == path for path, test in paths)


def check_name(nodeid: str, machine: str) -> str:
    """Return `no way out DNS` for `…::test_no_way_out[k3s-master1-DNS]`."""
    name, _, parameters = nodeid.rpartition("::")[2].removesuffix("]").partition("[")
    rest = f"-{parameters}-".replace(f"-{machine}-", "-", 1).strip("-")
    return f"{name.removeprefix('test_').replace('_', ' ')} {rest}".strip()
