from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from fake_run import FakeRun, timed_out

from harness.config.plan import LabPlan
from harness.core.errors import SeedError
from harness.core.layout import LEDGER
from harness.core.verdict import Status
from harness.ownership.ledger import Ledger, MachineEntry
from harness.preflight.collect import collect, nearest_directory
from harness.preflight.facts import HostFacts, SeedIso
from harness.preflight.judge import judge_all
from harness.vmrun.discovery import Hypervisor, Kind
from harness.vmrun.driver import Vmrun
from preflight.samples import FakeIso, lab_in

CALL = ("v", "-T", "ws")
NETWORKS = (
    "Total host networks: 1\nINDEX  NAME  TYPE  DHCP  SUBNET  MASK\n1 vmnet1 hostOnly false 192.168.6.0 255.255.255.0\n"
)


def fake_vmrun() -> FakeRun:
    run = FakeRun().on(*CALL, "list", says="Total running VMs: 0\n").on(*CALL, "listHostNetworks", says=NETWORKS)
    run.on(*CALL, "defineNetwork", "VMnet1", "192.168.6.0/24")
    return run.on(*CALL, "listPortForwardings", "VMnet1", says="Total port forwardings: 0\n")


def look(plan: LabPlan, run: FakeRun, kind: Kind = Kind.EMBEDDED, platform: str = "linux") -> HostFacts:
    def inspect_iso(path: Path) -> SeedIso:
        if path.read_bytes() == b"none":
            raise SeedError("not an ISO 9660 image", remedy="copy it again", where=str(path))
        if path.read_bytes() == b"broken":
            raise KeyError("a library's own exception")
        return FakeIso(machine="k3s-master1")

    vmrun = Vmrun(("v",), run=run, clock=run.clock)
    return collect(plan, Hypervisor(kind, ("v",), ("d",), "QEMU"), vmrun, inspect_iso, platform=platform)


def test_an_empty_folder_is_looked_at_without_an_exception_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    facts = look(plan, fake_vmrun())
    assert sorted(tmp_path.rglob("*")) == before
    assert facts.probe_directory == tmp_path
    assert facts.writable.value is True
    assert facts.running.value == ()
    assert facts.registered.value == ()
    assert facts.seed_directory.missing
    assert all(fact.missing for fact in facts.isos.values())
    assert facts.key.kind.missing
    assert facts.network.value is not None
    assert facts.network.value.found is not None
    assert facts.network.value.found.subnet == IPv4Network("192.168.6.0/24")
    assert (facts.free_disk_mib.value or 0) > 0
    assert (facts.free_memory_mib.value or 0) > 0


def test_a_vmrun_that_hangs_makes_facts_with_problems_and_no_exception(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    run = FakeRun()
    for words in (
        ("list",),
        ("listHostNetworks",),
        ("defineNetwork", "VMnet1", "192.168.6.0/24"),
        ("listPortForwardings", "VMnet1"),
    ):
        run.on(*CALL, *words, says=timed_out())
    status = {check.name: check.status for check in judge_all(plan, look(plan, run))}
    assert status["vmrun answers"] is status["network"] is status["no other lab here"] is Status.ERROR
    assert status["free memory"] is Status.PASS


def test_isos_that_are_none_and_those_that_break_the_reader(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    plan.seed_directory.mkdir(parents=True)
    for machine, content in zip(plan.machines, (b"iso", b"none", b"broken"), strict=True):
        machine.seed.write_bytes(content)
    facts = look(plan, fake_vmrun())
    assert facts.seed_directory.value is True
    assert facts.isos["k3s-master1"].value is not None
    worker1 = plan.machine("k3s-worker1").seed
    assert facts.isos["k3s-worker1"].problem == f"{worker1}: not an ISO 9660 image"
    assert facts.isos["k3s-worker1"].remedy == "copy it again"
    assert facts.isos["k3s-worker2"].problem.startswith("KeyError")


def test_vmware_gets_no_command_to_define_networks(tmp_path: Path) -> None:
    run = fake_vmrun()
    look(lab_in(tmp_path), run, Kind.VMWARE)
    assert not any("defineNetwork" in call for call in run.calls)


def test_a_machine_that_the_ledger_does_not_name_is_seen(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    assert look(plan, fake_vmrun()).unregistered.value == {}
    machine = plan.machines[0]
    machine.files.directory.mkdir(parents=True)
    (machine.files.directory / "thesis.docx").touch()
    assert look(plan, fake_vmrun()).unregistered.value == {}
    machine.files.vmx.touch()
    assert look(plan, fake_vmrun()).unregistered.value == {machine.name: (machine.files.vmx.name,)}
    Ledger(plan.vm_directory / LEDGER, plan.spec.name).write(
        MachineEntry(machine.name, str(machine.files.directory), "run-1")
    )
    assert look(plan, fake_vmrun()).unregistered.value == {}


def test_a_ledger_of_another_lab_is_a_problem(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    plan.vm_directory.mkdir(parents=True)
    ledger = plan.vm_directory / LEDGER
    content = {"version": 3, "lab": plan.spec.name, "kept_until": None, "things": []}
    machine = {"kind": "machine", "name": "m", "directory": str(plan.vm_directory / "m"), "run_id": "r"}
    ledger.write_text(json.dumps({**content, "things": [machine]}), encoding="utf-8")
    assert look(plan, fake_vmrun()).registered.value == (plan.vm_directory / "m",)
    (plan.vm_directory / "m").mkdir()
    (plan.vm_directory / "m" / "m.vmdk").write_bytes(bytes(3 << 20))
    assert look(plan, fake_vmrun()).held_disk_mib.value == {plan.vm_directory / "m": 3}
    ledger.write_text(json.dumps({**content, "lab": "other"}), encoding="utf-8")
    assert "other" in look(plan, fake_vmrun()).registered.problem


def test_a_file_where_the_vm_directory_should_be(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    plan.vm_directory.parent.write_text("in the way", encoding="utf-8")
    facts = look(plan, fake_vmrun())
    assert facts.writable.value is None
    assert "Not a directory" in facts.writable.problem
    found = {check.name: check for check in judge_all(plan, facts)}["VM directory writable"]
    assert found.status is Status.FAIL


def test_the_size_of_a_seed_is_a_fact_where_it_exists(tmp_path: Path) -> None:
    plan = lab_in(tmp_path)
    plan.machines[0].seed.parent.mkdir(parents=True, exist_ok=True)
    with plan.machines[0].seed.open("wb") as file:
        file.truncate((3 << 20) + 1)
    assert look(plan, fake_vmrun()).seed_mib == {plan.machines[0].name: 4}


def test_the_nearest_directory(tmp_path: Path) -> None:
    assert nearest_directory(tmp_path / "a" / "b") == tmp_path
    assert nearest_directory(tmp_path) == tmp_path


def test_a_forbidden_path_is_a_fact_with_its_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = lab_in(tmp_path)

    def denied(path: Path, **_: object) -> bool:
        if tmp_path in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return True

    monkeypatch.setattr(Path, "exists", denied)
    monkeypatch.setattr(Path, "is_file", denied)
    facts = look(plan, fake_vmrun())
    assert facts.probe_directory == tmp_path
    assert {fact.problem for fact in facts.isos.values()} == {f"{m.seed}: Permission denied" for m in plan.machines}
    assert not any(fact.missing for fact in facts.isos.values())
