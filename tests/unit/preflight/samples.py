"""Plan, good facts and ISOs for the tests of the host checks."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from harness.config import load_lab
from harness.config.loader import build
from harness.config.plan import LabPlan, make_plan
from harness.core.finding import Finding
from harness.core.verdict import Check, Status
from harness.preflight.checks import error_class
from harness.preflight.facts import Daemon, Fact, HostFacts, Key, Network, SeedIso
from harness.preflight.judge import judge_all
from harness.system.windows.logon_session import Session
from harness.vmrun.discovery import Kind
from harness.vmrun.networks import HostNetwork, NetworkKind

LAB_FILE = Path(__file__).parents[3] / "scenarios" / "lab.yaml"
MACHINES = ("k3s-master1", "k3s-worker1", "k3s-worker2")
VMNET1 = HostNetwork(1, "vmnet1", NetworkKind.HOST_ONLY, dhcp=True, subnet=IPv4Network("192.168.6.0/24"))


@dataclass(frozen=True)
class FakeIso:
    volume_id: str = "SEED"
    bios_bootable: bool = True
    machine: str | None = None
    address: str | None = None
    role: str | None = None
    damage: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    elsewhere: str = ""
    has_k3s: bool = False


def plan_of(lab_file: Path = LAB_FILE, *, overlay: str | None = "embedded", ports: tuple[int, ...] = ()) -> LabPlan:
    return make_plan(load_lab(lab_file, overlay), lab_file, overlay=overlay, run_id="run", ports=ports)


def plan_of_text(added: str, overlay: str = "embedded") -> LabPlan:
    """Return the plan of the shipped lab file with keys added."""
    return make_plan(
        build(LAB_FILE.read_text(encoding="utf-8") + added, LAB_FILE, overlay), LAB_FILE, overlay=overlay, run_id="run"
    )


PLAN = plan_of()


def check(name: str, facts: HostFacts, plan: LabPlan = PLAN) -> Check:
    """Judge the facts and return one check; a bad one has remedy and reason."""
    found = {item.name: item for item in judge_all(plan, facts)}[name]
    if found.status not in (Status.PASS, Status.NOT_ASKED):
        assert found.remedy.startswith(f"[{error_class(name)}] ")
        assert len(found.remedy) > 30
        assert found.seen
    return found


def lab_in(folder: Path) -> LabPlan:
    """Return the embedded lab with all its files below that folder."""
    scenarios = folder / "scenarios"
    scenarios.mkdir()
    copy = scenarios / "lab.yaml"
    copy.write_text(LAB_FILE.read_text(encoding="utf-8"), encoding="utf-8")
    return plan_of(copy)


def iso_of(plan: LabPlan, name: str) -> SeedIso:
    machine = plan.machine(name)
    return FakeIso(machine=name, address=str(machine.address), role=machine.role.value)


def good_facts(plan: LabPlan, *, platform: str = "linux", kind: Kind = Kind.EMBEDDED) -> HostFacts:
    return HostFacts(
        platform=platform,
        kind=kind,
        version="QEMU 7.2.22",
        vmrun="vmrun",
        account="*S-1-5-21-1-2-3-1001" if platform == "win32" else "ubuntu",
        session=Fact(Session(1, "S-1-5-21-1-2-3-1001") if platform == "win32" else None),
        products=(),
        long_paths=False,
        daemon=Fact(Daemon()),
        addresses=Fact({"VMware Network Adapter VMnet1": (IPv4Address("192.168.6.1"),)}),
        elevated=Fact(value=True if platform == "win32" else None),
        probe_directory=plan.vm_directory,
        writable=Fact(value=True),
        running=Fact(value=()),
        registered=Fact(value=()),
        unregistered=Fact(value={}),
        open_in=Fact(value={}),
        held_disk_mib=Fact({}),
        seed_directory=Fact(value=True),
        isos={machine.name: Fact(iso_of(plan, machine.name)) for machine in plan.machines},
        seed_mib={},
        drives=Fact(()),
        network=Fact(Network(VMNET1, "vmrun listHostNetworks")),
        free_disk_mib=Fact(100_000),
        free_memory_mib=Fact(32_000),
        key=Key(Fact("ssh-ed25519"), Fact(())),
        ports={machine.name: Fact(value=True) for machine in plan.machines},
        forwardings=Fact(()),
    )
