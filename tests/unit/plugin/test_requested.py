"""What the command line asks of a lab, and which checks the lab declares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core.claims import Claim
from harness.core.errors import UsageError
from harness.core.verdict import Phase
from harness.plugin.requested import asked_by, check_name, checks_for, guest_checks, marked_claims
from harness.results.claim_rules import Asked

MACHINES = ("m", "w")


@dataclass
class FakeItem:
    """A collected test."""

    path: Path
    name: str
    marks: dict[str, tuple[str, ...]]
    machine: str | None = None
    arguments: tuple[str, ...] = ("scenarios",)
    callspec: Any = field(init=False)
    config: Any = field(init=False)

    def __post_init__(self) -> None:
        params = {"machine_name": self.machine} if self.machine else {}
        self.callspec = SimpleNamespace(params=params)
        root = self.path.parents[1]
        self.config = SimpleNamespace(args=self.arguments, invocation_params=SimpleNamespace(dir=root))
        self.nodeid = f"scenarios/{self.path.name}::{self.name}" + (f"[{self.machine}]" if self.machine else "")

    def get_closest_marker(self, name: str) -> Any:
        return SimpleNamespace(args=self.marks[name]) if name in self.marks else None


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name, phase in (("30_boot", "boot"), ("80_guests", "guests"), ("85_own", "guests")):
        (folder / f"test_{name}.py").write_text(f'pytestmark = pytest.mark.phase("{phase}")\n', encoding="utf-8")
    return folder


def guests(
    scenarios: Path, module: str, name: str, *claims: str, arguments: tuple[str, ...] = ("scenarios",)
) -> list[Any]:
    """Return a test of the guests for each machine."""
    marks = {"phase": ("guests",), **({"claim": claims} if claims else {})}
    return [FakeItem(scenarios / f"test_{module}.py", name, marks, machine, arguments) for machine in MACHINES]


def ask(scenarios: Path, items: list[Any], deselected: list[Any] | None = None) -> Asked:
    needs = dict.fromkeys(MACHINES, Phase.GUESTS)
    return asked_by(cast(list[pytest.Item], items), deselected or [], needs, scenarios, MACHINES)


def claims_resting_on(asked: Asked, name: str) -> tuple[Claim, ...]:
    return next(check.claims for check in asked.declared if (check.phase, check.name) == (Phase.GUESTS, name))


def test_the_guests_are_asked_where_every_test_of_them_is_selected(scenarios: Path) -> None:
    items = [*guests(scenarios, "80_guests", "test_swap"), *guests(scenarios, "85_own", "test_own", "air-gapped")]
    asked = ask(scenarios, items)
    assert {"guests/m", "guests/w"} <= set(asked.places)
    assert claims_resting_on(asked, "swap") == (Claim.SETTINGS,)
    assert claims_resting_on(asked, "own") == (Claim.AIR_GAPPED,)


def test_a_deselected_test_leaves_out_the_guests_of_its_machine(scenarios: Path) -> None:
    items = [*guests(scenarios, "80_guests", "test_swap"), *guests(scenarios, "85_own", "test_own")]
    asked = ask(scenarios, items[:-1], items[-1:])
    assert "guests/m" in asked.places
    assert "guests/w" not in asked.places
    assert claims_resting_on(asked, "own") == (Claim.SETTINGS,), "it is declared all the same"


def test_a_module_with_tests_of_the_guests_that_was_not_collected_leaves_them_out(scenarios: Path) -> None:
    asked = ask(scenarios, guests(scenarios, "80_guests", "test_swap"))
    assert not {place for place in asked.places if place.startswith("guests/")}
    assert claims_resting_on(asked, "tests of test_85_own.py") == (Claim.SETTINGS,)


def test_a_module_of_which_single_tests_are_named_leaves_out_the_guests(scenarios: Path) -> None:
    named = ("scenarios/test_80_guests.py::test_swap", "scenarios/test_85_own.py")
    items = [
        *guests(scenarios, "80_guests", "test_swap", arguments=named),
        *guests(scenarios, "85_own", "test_own", arguments=named),
    ]
    asked = ask(scenarios, items)
    assert not {place for place in asked.places if place.startswith("guests/")}
    assert "test_80_guests.py: all but the named tests" in asked.left_out


def test_a_module_of_another_phase_may_be_left_out(scenarios: Path) -> None:
    items = [*guests(scenarios, "80_guests", "test_swap"), *guests(scenarios, "85_own", "test_own")]
    asked = ask(scenarios, items)
    assert "guests/m" in asked.places
    assert asked.left_out == ("test_30_boot.py",)


def test_a_check_is_declared_once_for_all_machines(scenarios: Path) -> None:
    items = cast(list[pytest.Item], guests(scenarios, "80_guests", "test_swap"))
    assert [check.name for check in guest_checks(items)] == ["swap"]


def test_an_unknown_claim_is_wrong_input(scenarios: Path) -> None:
    item, _ = guests(scenarios, "85_own", "test_own", "air-gaped")
    with pytest.raises(UsageError, match="there is no claim 'air-gaped'") as raised:
        marked_claims(item)
    assert "air-gapped" in raised.value.remedy


def test_the_checks_of_a_phase_are_its_declared_ones(scenarios: Path) -> None:
    boot: Any = FakeItem(scenarios / "test_30_boot.py", "test_boot", {"phase": ("boot",)})
    assert checks_for(boot, MACHINES) == ["running", "guest answers", "ssh login", "this run's machine"]
    item, _ = guests(scenarios, "85_own", "test_own")
    with pytest.raises(pytest.UsageError, match="declares checks"):
        checks_for(item, MACHINES)


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("x::test_swap[m]", "swap"),
        ("x::test_no_way_out[m-DNS]", "no way out DNS"),
        ("x::test_no_way_out[DNS-m]", "no way out DNS"),
    ],
)
def test_the_name_of_a_check_is_that_of_the_test_without_the_machine(nodeid: str, name: str) -> None:
    assert check_name(nodeid, "m") == name
