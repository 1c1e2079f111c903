"""Units of k3s: what systemd says of them."""

from __future__ import annotations

import pytest

from harness.cluster.units import MachineUnits, judge_units, parse_units, unit_troubles
from harness.core.verdict import Status

BOOT = "ca37d1d3-6b1b-4427-929e-89861863aa51"


def block(name: str, active: str = "active", sub: str = "running", restarts: str = "0", load: str = "loaded") -> str:
    return f"Id={name}\nLoadState={load}\nActiveState={active}\nSubState={sub}\nNRestarts={restarts}\nResult=success\n"


def units(server: str = "", agent: str = "", boot: str = BOOT) -> MachineUnits:
    absent = {"active": "inactive", "sub": "dead", "load": "not-found"}
    first = server or block("k3s.service", **absent)
    return parse_units(f"{boot}\n{first}\n{agent or block('k3s-agent.service', **absent)}")


SERVER = block("k3s.service")
AGENT = block("k3s-agent.service")
THREE, FIVE = (units(block("k3s.service", restarts=number)) for number in "35")
LOOPING = units(block("k3s.service", "activating", "auto-restart", "4"))


def test_boot_and_units_are_parsed() -> None:
    found = units(SERVER)
    assert found.boot_id == BOOT
    assert found.units is not None
    assert found.units["k3s.service"].runs
    assert str(found.units["k3s-agent.service"]) == "k3s-agent.service is not-found"


@pytest.mark.parametrize(
    ("now", "before", "server", "trouble"),
    [
        (units(SERVER), units(SERVER), True, ""),
        (units(agent=AGENT), units(agent=AGENT), False, ""),
        (units(agent=AGENT), units(agent=AGENT), True, "k3s.service is not-found"),
        (units(SERVER), units(SERVER), False, "k3s-agent.service is not-found"),
        (
            LOOPING,
            units(SERVER),
            True,
            "activating (auto-restart)",
        ),
        (
            units(block("k3s.service", restarts="5")),
            units(block("k3s.service", restarts="3")),
            True,
            "restarted 2 times",
        ),
        (units(SERVER, boot="other"), units(SERVER), True, "restarted 0 times"),
        (units(SERVER, AGENT), units(SERVER, AGENT), True, "k3s-agent.service is active too"),
        (
            units(SERVER, block("k3s-agent.service", "activating", "auto-restart")),
            units(SERVER),
            True,
            "k3s-agent.service is activating too",
        ),
        (units(block("k3s.service", "active", "exited")), units(SERVER), True, "active (exited)"),
        (MachineUnits(problem="no connection"), units(SERVER), True, "no connection"),
        (parse_units(""), units(SERVER), True, "k3s.service is unknown"),
    ],
)
def test_the_unit_of_the_role_has_to_run_without_restarts(
    now: MachineUnits, before: MachineUnits, server: bool, trouble: str
) -> None:
    found = "; ".join(unit_troubles(now, before, server=server))
    assert trouble in found
    assert bool(found) is bool(trouble)


def test_a_failed_unit_says_its_result() -> None:
    failed = block("k3s.service", "failed", "failed", "7").replace("success", "exit-code")
    assert unit_troubles(units(failed), units(failed), server=True) == [
        "k3s.service is failed (failed, exit-code), restarted 7 times"
    ]


def test_every_machine_has_to_run_its_unit() -> None:
    seen = {"m": units(SERVER)}
    assert judge_units({"m": []}, seen).status is Status.PASS
    check = judge_units({"m": [], "w": ["k3s-agent.service is not-found"]}, seen)
    assert (check.status, check.seen) == (Status.FAIL, "w: k3s-agent.service is not-found")
