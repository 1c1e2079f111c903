"""The checks of each machine: its seed ISO and its SSH port."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest
from lab_file import LAB_FILE, OF_UBUNTU, changed

from harness.config.loader import build
from harness.config.plan import make_plan
from harness.core.finding import Finding, remark
from harness.core.verdict import Check, Status
from harness.preflight.facts import Fact, SeedIso
from harness.vmrun.networks import PortForwarding, Protocol
from preflight.samples import FakeIso, check, good_facts, plan_of, plan_of_text

PLAN = plan_of()
PROVIDED = plan_of(overlay=None)
GOOD = good_facts(PLAN)


@pytest.mark.parametrize(
    ("iso", "status", "seen"),
    [
        (FakeIso(machine="k3s-master1", address="192.168.6.10", role="master"), Status.PASS, "machine k3s-master1"),
        (FakeIso(machine="k3s-master1"), Status.PASS, "machine k3s-master1"),
        (FakeIso(address="192.168.6.10/24"), Status.PASS, "192.168.6.10"),
        (FakeIso(), Status.NOT_PROVEN, "it names no machine"),
        (FakeIso(machine="k3s-worker1"), Status.FAIL, "it installs k3s-worker1"),
        (FakeIso(machine="k3s-master1", address="192.168.6.11"), Status.FAIL, "gives the address 192.168.6.11"),
        (FakeIso(machine="k3s-master1", address="192.168.6.1"), Status.FAIL, "gives the address 192.168.6.1"),
        (FakeIso(machine="k3s-master1", role="worker"), Status.FAIL, "installs a worker"),
        (FakeIso(machine="k3s-master1", bios_bootable=False), Status.FAIL, "cannot boot"),
        (FakeIso(machine="k3s-master1", damage=("files/k3s is damaged",)), Status.FAIL, "files/k3s is damaged"),
    ],
)
def test_an_iso_has_to_boot_and_to_be_that_machines(iso: FakeIso, status: Status, seen: str) -> None:
    found = check("seed ISO of k3s-master1", replace(GOOD, isos={**GOOD.isos, "k3s-master1": Fact(iso)}))
    assert found.status is status
    assert seen in found.seen


def test_a_missing_iso_and_a_file_that_is_none() -> None:
    for problem, missing in (("seed-worker1.iso does not exist", True), ("not an ISO 9660 image", False)):
        isos = {**GOOD.isos, "k3s-worker1": Fact[SeedIso](problem=problem, missing=missing)}
        facts = replace(GOOD, isos=isos)
        found = check("seed ISO of k3s-worker1", facts)
        assert (found.status, found.seen) == (Status.FAIL, problem)
        assert check("seed ISO of k3s-master1", facts).status is Status.PASS


def test_a_taken_port_unless_it_leads_to_that_machine_already() -> None:
    plan = plan_of(ports=(2210, 2211, 2212))
    taken = replace(good_facts(plan), ports={**GOOD.ports, "k3s-master1": Fact(value=False)})
    assert check("way in to k3s-master1", taken, plan).status is Status.FAIL
    assert check("way in to k3s-worker1", taken, plan).status is Status.PASS
    ours = PortForwarding(Protocol.TCP, 2210, IPv4Address("192.168.6.10"), 22)
    assert check("way in to k3s-master1", replace(taken, forwardings=Fact((ours,))), plan).status is Status.PASS
    other = replace(ours, guest_address=IPv4Address("192.168.6.11"))
    assert check("way in to k3s-master1", replace(taken, forwardings=Fact((other,))), plan).status is Status.FAIL
    unknown = replace(taken, ports={**GOOD.ports, "k3s-master1": Fact[bool](problem="denied")})
    assert check("way in to k3s-master1", unknown, plan).status is Status.ERROR


def test_a_machine_that_is_reached_directly_needs_no_port() -> None:
    facts = replace(good_facts(PROVIDED), ports={})
    assert "192.168.6.10:22" in check("way in to k3s-master1", facts, PROVIDED).seen


def judged(iso: FakeIso) -> Check:
    return check("seed ISO of k3s-master1", replace(GOOD, isos={**GOOD.isos, "k3s-master1": Fact(iso)}))


def test_each_mistake_of_an_iso_of_others_has_a_line_and_a_remedy() -> None:
    iso = FakeIso(
        machine="k3s-master1",
        findings=(
            Finding("it is UTF-16", "save it as UTF-8", "/conf/user-data:1"),
            Finding("no key", "add it", "/conf/user-data:9"),
            remark("old word", "write another", "/conf/user-data:3"),
        ),
    )
    found = judged(iso)
    assert found.status is Status.FAIL
    assert found.seen.splitlines() == ["/conf/user-data:1: it is UTF-16", "/conf/user-data:9: no key"]
    assert found.remedy.splitlines()[-2:] == ["/conf/user-data:1: save it as UTF-8", "/conf/user-data:9: add it"]


def test_a_remark_fails_no_iso_and_data_elsewhere_prove_none() -> None:
    found = judged(FakeIso(machine="k3s-master1", findings=(remark("old word", "write another", "/a:3"),)))
    assert found.status is Status.PASS
    assert found.seen.splitlines()[1:] == ["note: /a:3: old word; write another"]
    found = judged(FakeIso(elsewhere="no user-data is on it"))
    assert (found.status, "no user-data is on it" in found.seen) == (Status.NOT_PROVEN, True)


@pytest.mark.parametrize(
    ("installer", "data", "status", "seen"),
    [
        ({}, {"volume_id": "CIDATA"}, Status.PASS, "machine k3s-master1"),
        ({"bios_bootable": False}, {"volume_id": "CIDATA"}, Status.FAIL, "a BIOS cannot boot it"),
        ({}, {"volume_id": "SEED"}, Status.FAIL, "the label of the data is 'SEED'"),
        ({"findings": (Finding("a menu waits", "set one"),)}, {"volume_id": "CIDATA"}, Status.FAIL, "a menu waits"),
        (None, {"volume_id": "CIDATA"}, Status.FAIL, "ubuntu-installer.iso does not exist"),
    ],
)
def test_the_installer_boots_and_the_second_cd_has_the_data(
    installer: dict[str, Any] | None, data: dict[str, Any], status: Status, seen: str
) -> None:
    plan = make_plan(build(changed(OF_UBUNTU), LAB_FILE), LAB_FILE, overlay=None, run_id="run")
    missing = Fact[SeedIso](problem="ubuntu-installer.iso does not exist", missing=True)
    iso = FakeIso(machine="k3s-master1", bios_bootable=False, **data)
    facts = good_facts(plan)
    facts = replace(
        facts,
        isos={**facts.isos, "k3s-master1": Fact(iso)},
        installer=missing if installer is None else Fact(FakeIso(**installer)),
    )
    found = check("seed ISO of k3s-master1", facts, plan)
    assert (found.status, seen in found.seen) == (status, True)


K3S = plan_of_text("payload: {k3s: {binary: ../k3s}}\n")


def test_a_seed_without_the_k3s_of_the_payload_is_an_old_one() -> None:
    for has_k3s, status in ((False, Status.FAIL), (True, Status.PASS)):
        iso = FakeIso(machine="k3s-master1", has_k3s=has_k3s)
        found = check("seed ISO of k3s-master1", replace(GOOD, isos={**GOOD.isos, "k3s-master1": Fact(iso)}), K3S)
        assert found.status is status
        assert ("`payload` of the lab file names" in found.seen) is not has_k3s
        assert "lab seed --lab" in found.remedy or has_k3s


def test_machines_have_to_be_large_enough_for_k3s() -> None:
    name = "machines large enough for k3s"
    assert check(name, GOOD).status is Status.NOT_ASKED
    found = check(name, GOOD, K3S)
    assert found.status is Status.FAIL
    assert "k3s-master1 has 1024 MiB and processors: 1" in found.seen
    assert "k3s-worker1" not in found.seen
    assert check(name, GOOD, plan_of_text("payload: {k3s: {binary: ../k3s}}\n", "embedded,k3s")).status is Status.PASS
