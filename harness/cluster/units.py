"""Units of k3s: active, and not restarted by systemd. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.cluster.checks import UNITS
from harness.core.verdict import Check

SERVER, AGENT = "k3s.service", "k3s-agent.service"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
# The first line is the boot id; then a block of properties for each unit.
COMMAND = (
    f"cat {BOOT_ID}; systemctl show {SERVER} {AGENT} --property=Id,LoadState,ActiveState,SubState,NRestarts,Result"
)


@dataclass(frozen=True)
class Unit:
    """A unit as systemd describes it."""

    name: str
    load: str
    active: str
    sub: str
    restarts: int
    result: str

    @property
    def runs(self) -> bool:
        """Whether it is up, not on its way."""
        return self.active == "active" and self.sub == "running"

    def __str__(self) -> str:
        if self.load != "loaded":
            return f"{self.name} is {self.load or 'unknown'}"
        failed = f", {self.result}" if self.result not in ("", "success") else ""
        return f"{self.name} is {self.active} ({self.sub}{failed}), restarted {self.restarts} times"


@dataclass(frozen=True)
class MachineUnits:
    """Boot and units of one machine, as the guest says.

    Attributes:
        problem: Why the guest could not be asked; empty if it was.
    """

    boot_id: str = ""
    units: Mapping[str, Unit] | None = None
    problem: str = ""


def parse_units(stdout: str) -> MachineUnits:
    """Parse the output of `COMMAND`."""
    first, _, rest = stdout.partition("\n")
    found = {}
    for block in rest.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in values:
            restarts = values.get("NRestarts", "")
            found[values["Id"]] = Unit(
                values["Id"],
                values.get("LoadState", ""),
                values.get("ActiveState", ""),
                values.get("SubState", ""),
                int(restarts) if restarts.isdigit() else 0,
                values.get("Result", ""),
            )
    return MachineUnits(first.strip(), found)


def unit_troubles(now: MachineUnits, before: MachineUnits, *, server: bool) -> list[str]:
    """Return what is wrong with the units of a machine.

    Args:
        now: The last look.
        before: An earlier one.
        server: Whether it is a master.
    """
    if now.problem or now.units is None:
        return [now.problem or "the guest did not list its units"]
    wanted, other = (SERVER, AGENT) if server else (AGENT, SERVER)
    unit, known = now.units.get(wanted), (before.units or {}).get(wanted)
    if unit is None:
        return [f"{wanted} is unknown"]
    found = [] if unit.runs else [str(unit)]
    if unit.runs and known is not None and (unit.restarts, now.boot_id) != (known.restarts, before.boot_id):
        found.append(f"{wanted} was restarted {unit.restarts - known.restarts} times between two looks")
    beside = now.units.get(other)
    if beside is not None and beside.active in ("active", "activating"):
        found.append(f"{other} is {beside.active} too, and is not of this machine's role")
    return found


def judge_units(troubles: Mapping[str, list[str]], seen: Mapping[str, MachineUnits]) -> Check:
    """Return whether k3s runs on every machine."""
    wrong = [f"{name}: {'; '.join(found)}" for name, found in troubles.items() if found]
    units = [f"{name}: {unit}" for name, one in seen.items() for unit in (one.units or {}).values() if unit.runs]
    check = UNITS.judge(
        ok=not wrong,
        seen="; ".join(wrong) or "; ".join(units),
        remedy="read `journalctl -u k3s` (master) and `journalctl -u k3s-agent` (worker): the last lines say why",
    )
    # A machine that cannot be asked disproves nothing.
    unheard = all(name in seen and seen[name].problem for name, found in troubles.items() if found)
    return replace(check, inconclusive=bool(wrong) and unheard)
