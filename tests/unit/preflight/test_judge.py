from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from harness.core.verdict import Status
from harness.preflight.facts import Fact, HostFacts, Key, Network, SeedIso
from harness.preflight.judge import judge_all
from harness.system.windows.vmware_install import Product
from harness.vmrun.discovery import NO_VERSION, Kind
from harness.vmrun.networks import NetworkKind
from preflight.samples import VMNET1, check, good_facts, plan_of

PLAN = plan_of()
PROVIDED = plan_of(overlay=None)
GOOD = good_facts(PLAN)
WINDOWS = good_facts(PROVIDED, platform="win32", kind=Kind.VMWARE)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_a_good_host_passes_everywhere(kind: Kind, platform: str) -> None:
    facts = good_facts(PLAN, platform=platform, kind=kind)
    fine = (Status.PASS, Status.NOT_ASKED)
    assert {str(item) for item in judge_all(PLAN, facts) if item.status not in fine} == set()


# -- rights ----------------------------------------------------------------------------------------------------------


def test_vmware_on_windows_needs_an_administrator_and_the_embedded_one_does_not() -> None:
    user = replace(WINDOWS, elevated=Fact(value=False))
    found = check("rights", user)
    assert found.status is Status.FAIL
    assert "-Verb RunAs" in found.remedy
    assert check("rights", replace(user, kind=Kind.EMBEDDED)).status is Status.PASS


def test_unknown_rights_are_not_proven() -> None:
    assert check("rights", replace(WINDOWS, elevated=Fact(problem="?"))).status is Status.NOT_PROVEN


def test_elsewhere_the_check_says_that_no_administrator_is_needed() -> None:
    assert "no administrator" in check("rights", GOOD).seen


# -- VMware ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        (WINDOWS, 'net start VMAuthdService\n& "vmrun" -T ws list'),
        (replace(WINDOWS, platform="linux"), "vmware-modconfig"),
        (replace(WINDOWS, platform="darwin"), "Fusion"),
        (GOOD, "lab setup --with-deps"),
    ],
)
def test_a_vmrun_that_does_not_answer_is_an_error_with_the_remedy_of_its_system(facts: HostFacts, remedy: str) -> None:
    found = check("vmrun answers", replace(facts, running=Fact(problem="vmrun list: did not end")))
    assert found.status is Status.ERROR
    assert "did not end" in found.seen
    assert remedy in found.remedy


def test_the_hypervisor_is_named_with_its_version() -> None:
    assert "QEMU 7.2.22" in check("hypervisor", GOOD).seen


@pytest.mark.parametrize(
    ("version", "hardware", "status"),
    [
        ("VMware Workstation 16.2.5 (vmrun 1.17.0 build-20904516)", 20, Status.FAIL),
        ("VMware Workstation 17.0.2 (vmrun 1.17.0 build-21581411)", 21, Status.FAIL),
        ("VMware Workstation 17.6.3 (vmrun 1.17.0 build-24583834)", 21, Status.PASS),
        ("VMware Workstation 17.6.3 (vmrun 1.17.0 build-24583834)", 22, Status.FAIL),
        ("VMware Workstation 25H2 (vmrun 1.17.0 build-24995812)", 22, Status.PASS),
        ("VMware (vmrun 1.17.0 build-99999999)", 30, Status.PASS),
        ("QEMU 7.2.22", 22, Status.PASS),
        ("QEMU 7.2.22", 23, Status.FAIL),
    ],
)
def test_the_hardware_version_is_one_that_the_product_knows(version: str, hardware: int, status: Status) -> None:
    spec = PLAN.spec.model_copy(
        update={"hardware": PLAN.spec.hardware.model_copy(update={"hardware_version": hardware})}
    )
    found = check("hypervisor", replace(GOOD, version=version), replace(PLAN, spec=spec))
    assert found.status is status
    if status is Status.FAIL:
        assert "hardware.hardware_version" in found.remedy
        assert str(hardware) in found.seen


def test_a_hypervisor_of_unknown_version_is_not_proven() -> None:
    unknown = replace(WINDOWS, version=NO_VERSION, vmrun=r"C:\VMware\vmrun.exe")
    assert check("hypervisor", unknown).status is Status.NOT_PROVEN
    elsewhere = (Product("VMware Workstation", "17.6.3", r"D:\VMware"), Product("VMware Player", "", r"C:\VMware"))
    assert check("hypervisor", replace(unknown, products=elsewhere)).status is Status.NOT_PROVEN
    installed = (Product("VMware Workstation", "17.6.3", "c:\\vmware\\"),)
    assert check("hypervisor", replace(unknown, products=installed)).status is Status.PASS


# -- ISO -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "status"),
    [
        (Fact(problem="/seeds does not exist", missing=True), Status.FAIL),
        (Fact(value=False), Status.FAIL),
        (Fact(problem="/seeds Permission denied"), Status.ERROR),
    ],
)
def test_the_seed_directory(fact: Fact[bool], status: Status) -> None:
    found = check("seed directory", replace(GOOD, seed_directory=fact))
    assert found.status is status
    assert f'lab seed --lab "{PLAN.lab_file}"' in found.remedy
    assert "--overlay" not in found.remedy, "that one is laid on by itself"
    named = replace(PLAN, overlay="small")
    assert check("seed directory", replace(GOOD, seed_directory=fact), named).remedy.endswith("--overlay small")
    assert "lab seed" not in check("seed directory", replace(WINDOWS, seed_directory=fact), PROVIDED).remedy


def test_the_remedy_of_an_error_follows_the_checks_own_remedy_once() -> None:
    broken = Fact[SeedIso](problem="it is truncated", remedy="copy the ISO again")
    found = check("seed ISO of k3s-worker1", replace(GOOD, isos={**GOOD.isos, "k3s-worker1": broken}))
    assert found.remedy.endswith('lab.yaml"\ncopy the ISO again')
    known = Fact[SeedIso](problem="it is truncated", remedy="lab seed")
    found = check("seed ISO of k3s-worker1", replace(GOOD, isos={**GOOD.isos, "k3s-worker1": known}))
    assert found.remedy.count("lab seed") == 1, "it is not given twice"
    unread = replace(GOOD, registered=Fact(problem="the ledger is no JSON", remedy="put the ledger back"))
    assert check("no other lab here", unread).remedy.endswith("put the ledger back")
    silent = replace(GOOD, network=Fact(problem="in use", remedy="stop its machines"))
    assert check("network", silent).remedy.endswith("stop its machines")


# -- network ---------------------------------------------------------------------------------------------------------


def test_no_such_network() -> None:
    facts = replace(WINDOWS, network=Fact(Network(None, "vmrun listHostNetworks")))
    found = check("network", facts)
    assert found.status is Status.FAIL
    assert '(x86)\\VMware\\VMware Workstation\\vnetlib64.exe" -- set vnet vmnet1 addr 192.168.6.0' in found.remedy
    products = (Product("VMware VIX", "1", "C:\\VIX\\"), Product("VMware Workstation", "25", "C:\\VMware\\"))
    assert '& "C:\\VMware\\vnetlib64.exe" --' in check("network", replace(facts, products=products)).remedy
    assert "lab doctor" not in check("network", replace(facts, kind=Kind.EMBEDDED)).remedy
    assert check("subnet", facts).status is Status.BLOCKED
    assert "answer VNET_1_HOSTONLY_SUBNET 192.168.6.0" in check("network", replace(facts, platform="linux")).remedy
    assert "vmnet-cli" in check("network", replace(facts, platform="darwin")).remedy


def test_kind_and_subnet_of_a_network_are_judged_apart() -> None:
    nat = replace(GOOD, network=Fact(Network(replace(VMNET1, kind=NetworkKind.NAT), "x")))
    assert (check("network", nat).status, check("subnet", nat).status) == (Status.FAIL, Status.PASS)
    unknown = replace(GOOD, network=Fact(Network(replace(VMNET1, kind=NetworkKind.OTHER), "x")))
    assert (check("network", unknown).status, check("subnet", unknown).status) == (Status.NOT_PROVEN, Status.PASS)
    other = replace(GOOD, network=Fact(Network(replace(VMNET1, subnet=IPv4Network("192.168.22.0/24")), "x")))
    assert (check("network", other).status, check("subnet", other).status) == (Status.PASS, Status.FAIL)
    assert "192.168.22.0/24" in check("subnet", other).seen


def test_a_network_that_cannot_be_looked_at() -> None:
    facts = replace(GOOD, network=Fact(problem="vmrun listHostNetworks failed"))
    assert check("network", facts).status is Status.ERROR
    assert check("subnet", facts).status is Status.BLOCKED


# -- space and memory ------------------------------------------------------------------------------------------------


def test_disk_space_at_the_edge() -> None:
    need = PLAN.disk_mib
    assert check("free disk space", replace(GOOD, free_disk_mib=Fact(need))).status is Status.PASS
    found = check("free disk space", replace(GOOD, free_disk_mib=Fact(need - 1)))
    assert found.status is Status.FAIL
    assert str(need) in found.expected
    unknown = replace(GOOD, free_disk_mib=Fact[int](problem="?"))
    assert check("free disk space", unknown).status is Status.ERROR


def test_a_seed_of_others_needs_three_times_its_size() -> None:
    provided = plan_of(overlay=None)
    first, *others = (machine.name for machine in provided.machines)
    facts = replace(good_facts(provided), seed_mib={first: 3000, others[0]: 100})
    need = 9000 + 2048 + 2048
    assert check("free disk space", replace(facts, free_disk_mib=Fact(need)), provided).status is Status.PASS
    found = check("free disk space", replace(facts, free_disk_mib=Fact(need - 1)), provided)
    assert found.status is Status.FAIL
    assert f"{need} MiB" in found.expected
    held = {provided.machine(first).files.directory: 9000}
    done = replace(facts, free_disk_mib=Fact(4096), held_disk_mib=Fact(held))
    assert check("free disk space", done, provided).status is Status.PASS
    own = replace(GOOD, seed_mib={first: 3000}, free_disk_mib=Fact(PLAN.disk_mib))
    assert check("free disk space", own).status is Status.PASS


def test_the_disk_usage_of_this_labs_machines_counts_as_free_each_for_itself() -> None:
    directories = [machine.files.directory for machine in PLAN.machines]
    full = replace(GOOD, free_disk_mib=Fact(500))
    done = replace(full, held_disk_mib=Fact(dict.fromkeys(directories, 2048)))
    assert check("free disk space", full).status is Status.FAIL
    assert check("free disk space", done).status is Status.PASS
    assert "6144 MiB held by this lab's machines" in check("free disk space", done).seen
    one = replace(full, held_disk_mib=Fact({directories[0]: 90_000}))
    assert check("free disk space", one).status is Status.FAIL
    foreign = replace(full, held_disk_mib=Fact({PLAN.vm_directory / "else": 90_000}))
    assert check("free disk space", foreign).status is Status.FAIL
    assert check("free disk space", replace(full, held_disk_mib=Fact(problem="?"))).status is Status.FAIL


def test_memory_at_the_limit_includes_the_hypervisors_overhead() -> None:
    need = PLAN.memory_mib + 3 * 256
    assert check("free memory", replace(GOOD, free_memory_mib=Fact(need))).status is Status.PASS
    found = check("free memory", replace(GOOD, free_memory_mib=Fact(need - 1)))
    assert found.status is Status.FAIL
    assert str(need) in found.expected
    assert check("free memory", replace(GOOD, free_memory_mib=Fact[int](problem="?"))).status is Status.ERROR


def test_memory_that_this_labs_running_machines_hold_counts_as_free() -> None:
    running = Fact(tuple(machine.files.vmx for machine in PLAN.machines))
    need = PLAN.memory_mib + 3 * 256
    facts = replace(GOOD, free_memory_mib=Fact(need - PLAN.memory_mib))
    assert check("free memory", facts).status is Status.FAIL
    assert check("free memory", replace(facts, running=running)).status is Status.PASS


def test_a_vm_directory_that_takes_no_files() -> None:
    facts = replace(GOOD, writable=Fact[bool](problem="/x Read-only file system"))
    assert check("VM directory writable", facts).status is Status.FAIL
    assert "chown" in check("VM directory writable", facts).remedy
    assert "icacls" in check("VM directory writable", replace(facts, platform="win32")).remedy


# -- key -------------------------------------------------------------------------------------------------------------


def test_the_key() -> None:
    missing = replace(GOOD, key=Key(Fact(problem="x does not exist", missing=True), Fact(problem="x", missing=True)))
    assert check("SSH key", missing).status is Status.FAIL
    assert check("SSH key private", missing).status is Status.BLOCKED
    assert "chmod" not in check("SSH key private", missing).remedy
    public = replace(GOOD, key=Key(Fact(problem="this is the public key"), Fact(())))
    assert check("SSH key", public).seen == "this is the public key"


def test_a_cause_is_reported_once_and_its_followers_name_it() -> None:
    missing = replace(GOOD, key=Key(Fact(problem="x does not exist", missing=True), Fact(problem="x", missing=True)))
    assert check("SSH key private", missing).seen == "SSH key: see there"
    assert [item.name for item in judge_all(PLAN, missing) if item.status is Status.FAIL] == ["SSH key"]


def test_a_key_that_others_may_read() -> None:
    facts = replace(GOOD, key=Key(Fact("ssh-ed25519"), Fact(("group and others (mode 0644)",))))
    assert check("SSH key private", facts).status is Status.FAIL
    assert "chmod 600" in check("SSH key private", facts).remedy
    assert "icacls" in check("SSH key private", replace(facts, platform="win32")).remedy


def test_a_key_whose_access_list_cannot_be_read_is_not_proven_and_no_pass() -> None:
    facts = replace(GOOD, key=Key(Fact("ssh-ed25519"), Fact(problem="icacls shows no access list")))
    assert check("SSH key private", facts).status is Status.NOT_PROVEN


# -- ports -----------------------------------------------------------------------------------------------------------


# -- other labs ------------------------------------------------------------------------------------------------------


def test_a_running_machine_below_the_vm_directory_that_is_not_ours() -> None:
    vmx = PLAN.machine("k3s-master1").files.vmx
    facts = replace(GOOD, running=Fact((vmx,)))
    found = check("no other lab here", facts)
    assert found.status is Status.FAIL
    assert str(vmx) in found.seen
    assert check("no other lab here", replace(facts, registered=Fact((vmx.parent,)))).status is Status.PASS
    beside = PLAN.vm_directory.with_name(PLAN.vm_directory.name + "2") / "a" / "a.vmx"
    assert check("no other lab here", replace(GOOD, running=Fact((beside,)))).status is Status.PASS


def test_machines_of_an_earlier_program_are_foreseen() -> None:
    found = check("no other lab here", replace(GOOD, unregistered=Fact({"k3s-master1": ("k3s-master1.vmx",)})))
    assert found.status is Status.FAIL
    assert "k3s-master1: k3s-master1.vmx" in found.seen
    assert "lab adopt k3s-master1" in found.remedy
    assert str(PLAN.machine("k3s-master1").files.directory) in found.remedy
    unknown = check("no other lab here", replace(GOOD, unregistered=Fact(problem="Permission denied")))
    assert (unknown.status, unknown.seen) == (Status.ERROR, "Permission denied")


def test_windows_spellings_of_one_directory() -> None:
    plan = replace(PROVIDED, vm_directory=Path(r"F:\VMs\AirgapLab"))
    facts = replace(WINDOWS, running=Fact((Path(r"f:\vms\airgaplab\x\x.vmx"),)))
    assert check("no other lab here", facts, plan).status is Status.FAIL
    ours = replace(facts, registered=Fact((Path(r"F:/VMs/AirgapLab/X"),)))
    assert check("no other lab here", ours, plan).status is Status.PASS


def test_a_ledger_that_cannot_be_read_is_an_error() -> None:
    found = check("no other lab here", replace(GOOD, registered=Fact(problem="belongs to the lab 'other'")))
    assert (found.status, found.seen) == (Status.ERROR, "belongs to the lab 'other'")
