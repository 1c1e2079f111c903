"""Judge the facts of a host: pure, one function per check.

PASS: correct. FAIL: wrong. ERROR: the fact could not be collected. NOT_PROVEN: the fact does not decide it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from harness.config.model import SeedSource
from harness.config.plan import MACHINE_DISK_MIB, LabPlan, MachinePlan
from harness.core.verdict import Check, Status, judge
from harness.preflight import remedies
from harness.preflight.checks import HostCheck, error_class
from harness.preflight.facts import HostFacts
from harness.preflight.hardware_versions import newest_hardware
from harness.preflight.judge_lab import judge_lab
from harness.preflight.judge_machine import judge_iso, judge_k3s_size, judge_port
from harness.preflight.judge_system import judge_host_address, judge_paths, judge_rights, judge_service, judge_session
from harness.preflight.places import comparable, inside, runs
from harness.system.windows.drives import missing_drive
from harness.vmrun.discovery import NO_VERSION, Kind
from harness.vmrun.networks import NetworkKind

# Memory of the hypervisor for each running guest: video memory, device emulation, translated code.
GUEST_OVERHEAD_MIB = {Kind.VMWARE: 128, Kind.EMBEDDED: 256}

# Check -> the check without which it cannot pass.
_CAUSES = {
    HostCheck.VMRUN.value: HostCheck.SERVICE,
    HostCheck.SUBNET.value: HostCheck.NETWORK,
    HostCheck.HOST_ADDRESS.value: HostCheck.NETWORK,
    HostCheck.SSH_KEY_PRIVATE.value: HostCheck.SSH_KEY,
    HostCheck.LAB.value: HostCheck.VM_DIRECTORY,
}
_INSTALLED_PER_SEED = 3
_ISO_CHECKS = HostCheck.SEED_ISO.value.partition("{")[0]


def judge_all(plan: LabPlan, facts: HostFacts) -> tuple[Check, ...]:
    """Return all checks in the order of `check_names`.

    Remedies begin with the error class.
    """
    checks = [_with_class(check) for check in _checks(plan, facts)]
    bad = {check.name for check in checks if check.status.stops}
    return tuple(_block_if_caused(check, bad) for check in checks)


def _block_if_caused(check: Check, bad: set[str]) -> Check:
    """Block a bad check whose cause another check already reports."""
    cause = _CAUSES.get(check.name) or (HostCheck.SEED_DIRECTORY if check.name.startswith(_ISO_CHECKS) else None)
    if check.status.stops and cause is not None and cause.value in bad:
        return replace(check, status=Status.BLOCKED, seen=f"{cause.value}: see there")
    return check


def _checks(plan: LabPlan, facts: HostFacts) -> Iterator[Check]:
    for check in HostCheck:
        if check is HostCheck.SEED_ISO:
            yield from (judge_iso(check.of(machine.name), machine, plan, facts) for machine in plan.machines)
        elif check is HostCheck.PORT:
            yield from (judge_port(check.of(machine.name), machine, facts) for machine in plan.machines)
        else:
            yield _JUDGES[check](check.value, plan, facts)


def _with_class(check: Check) -> Check:
    return replace(check, remedy=f"[{error_class(check.name)}] {check.remedy}") if check.remedy else check


def judge_hypervisor(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether product and version are known, and know the hardware."""
    installed = "; ".join(f"{item.name} {item.version} in {item.folder}" for item in facts.products)
    seen = f"{facts.version}: {facts.vmrun}" + (f"; installed: {installed}" if installed else "")
    expected = "VMware Workstation, Player or Fusion, or the embedded one on QEMU, and its version"
    vmrun = comparable(facts.vmrun, facts)
    registered = any(item.version and inside(vmrun, comparable(item.folder, facts)) for item in facts.products)
    if facts.version == NO_VERSION and not registered:
        remedy = "the facts about VMware's programs depend on their version\n" + remedies.version_unknown(facts)
        return Check(name, Status.NOT_PROVEN, expected, seen, remedy)
    wanted, newest = plan.spec.hardware.hardware_version, newest_hardware(facts.version)
    if newest is not None and wanted > newest:
        seen = f"{facts.version} knows hardware version {newest}, and the lab file wants {wanted}"
        remedy = "it would not start the machines\n"
        remedy += f"set hardware.hardware_version in the lab file to {newest} or less, or update VMware"
        return Check(name, Status.FAIL, f"hardware version {wanted} is known", seen, remedy)
    return judge(name, ok=True, expected=expected, seen=seen)


def judge_vmrun(name: str, _plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether `vmrun list` answers."""
    expected = "`vmrun list` answers"
    if facts.running.value is None:
        remedy = "no command works without it\n" + remedies.vmrun_not_answering(facts.kind, facts.platform, facts.vmrun)
        return Check(name, Status.ERROR, expected, facts.running.problem, facts.running.remedy_after(remedy))
    return judge(name, ok=True, expected=expected, seen=f"{len(facts.running.value)} machines are running")


def judge_seed_directory(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the seed directory is a directory."""
    fact = facts.seed_directory
    expected = f"{plan.seed_directory} is a directory"
    remedy = "machines install themselves from the ISOs in it\n"
    remedy += remedies.seeds_missing(plan)
    if fact.value is None:
        return Check(name, Status.FAIL if fact.missing else Status.ERROR, expected, fact.problem, remedy)
    return judge(name, ok=fact.value, expected=expected, seen="it is" if fact.value else "it is a file", remedy=remedy)


def judge_network(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the network exists and is host-only."""
    wanted = plan.spec.network
    expected = f"{wanted.vmnet} exists and is host-only"
    fix = remedies.network_missing(plan, facts)
    remedy = "any other kind of network is not air-gapped or does not reach the guests\n" + fix
    if facts.network.value is None:
        return Check(name, Status.ERROR, expected, facts.network.problem, facts.network.remedy_after(remedy))
    found, source = facts.network.value.found, facts.network.value.source
    if found is None:
        return judge(name, ok=False, expected=expected, seen=f"no {wanted.vmnet} in {source}", remedy=remedy)
    if found.kind is NetworkKind.OTHER:
        seen = f"{found.name} exists, but its kind is unknown ({source})"
        return Check(name, Status.NOT_PROVEN, expected, seen, remedy)
    seen = f"{found.name} is {found.kind} ({source})"
    return judge(name, ok=found.kind is NetworkKind.HOST_ONLY, expected=expected, seen=seen, remedy=remedy)


def judge_subnet(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the network has the lab's subnet."""
    wanted = plan.spec.network
    expected = f"{wanted.vmnet} has {wanted.subnet}"
    fix = remedies.network_missing(plan, facts)
    remedy = "the guests have fixed addresses in the subnet that the host would not reach\n" + fix
    network = facts.network.value
    if network is None:
        return Check(name, Status.ERROR, expected, facts.network.problem, facts.network.remedy_after(remedy))
    subnet = network.found.subnet if network.found else None
    if subnet is None:
        return Check(name, Status.FAIL, expected, f"no subnet of {wanted.vmnet} in {network.source}", remedy)
    seen = f"{subnet} ({network.source})"
    return judge(name, ok=subnet == wanted.subnet, expected=expected, seen=seen, remedy=remedy)


def judge_vm_directory(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the VM directory is writable or can be created."""
    expected = f"files can be created in {plan.vm_directory}"
    remedy = "disks and configuration are written there\n"
    if missing := _missing_drive(plan, facts):
        remedy += "set vm_directory in the lab file to a folder on one of these"
        return Check(name, Status.FAIL, expected, missing, remedy)
    remedy += remedies.not_writable(facts.platform, facts.account, facts.probe_directory)
    ok = bool(facts.writable.value)
    seen = f"{facts.probe_directory} is writable" if ok else facts.writable.problem
    return judge(name, ok=ok, expected=expected, seen=seen, remedy=remedy)


def _missing_drive(plan: LabPlan, facts: HostFacts) -> str:
    return missing_drive(plan.spec.vm_directory, facts.drives.value or ()) or missing_drive(
        str(plan.vm_directory), facts.drives.value or ()
    )


def judge_disk(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge the disk space.

    The files of this lab's machines count as free.
    """
    need = sum(_disk_need_mib(machine, plan, facts) for machine in plan.machines)
    expected = f"{need} MiB free at {facts.probe_directory}"
    remedy = "growable disks grow while a guest installs, and a full drive stops it half-way; "
    remedy += "free space on that drive, or set vm_directory in the lab file to another one"
    free = facts.free_disk_mib.value
    if _missing_drive(plan, facts):
        return Check(name, Status.BLOCKED, expected, f"{HostCheck.VM_DIRECTORY.value}: see there", remedy)
    if free is None:
        return Check(name, Status.ERROR, expected, facts.free_disk_mib.problem, remedy)
    held = _held_disk_mib(plan, facts)
    seen = f"{free} MiB" + (f", and {held} MiB held by this lab's machines" if held else "")
    return judge(name, ok=free + held >= need, expected=expected, seen=seen, remedy=remedy)


def _held_disk_mib(plan: LabPlan, facts: HostFacts) -> int:
    """Return the disk usage of the machines, each limited to its need."""
    taken = {comparable(path, facts): size for path, size in (facts.held_disk_mib.value or {}).items()}
    return sum(
        min(taken.get(comparable(m.files.directory, facts), 0), _disk_need_mib(m, plan, facts)) for m in plan.machines
    )


def _disk_need_mib(machine: MachinePlan, plan: LabPlan, facts: HostFacts) -> int:
    """Return the disk usage of an installed machine, at the least.

    An installer that is not ours, such as Ubuntu's with container images, is unpacked and copied: three times its size.
    """
    if plan.spec.seeds.source is SeedSource.BUILT:
        return MACHINE_DISK_MIB
    return max(MACHINE_DISK_MIB, _INSTALLED_PER_SEED * facts.seed_mib.get(machine.name, 0))


def judge_memory(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge the memory for all machines.

    This lab's running machines count as free.
    """
    need = plan.memory_mib + len(plan.machines) * GUEST_OVERHEAD_MIB[facts.kind]
    expected = f"{need} MiB free for {len(plan.machines)} machines"
    remedy = "a host that swaps makes every deadline of the lab expire; end other programs, "
    remedy += "or make hardware.memory_mib in the lab file smaller"
    free = facts.free_memory_mib.value
    if free is None:
        return Check(name, Status.ERROR, expected, facts.free_memory_mib.problem, remedy)
    held = sum(machine.memory_mib for machine in plan.machines if runs(machine, facts))
    seen = f"{free} MiB" + (f", and {held} MiB held by this lab's running machines" if held else "")
    return judge(name, ok=free + held >= need, expected=expected, seen=seen, remedy=remedy)


def judge_key(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether the key is a private key without a passphrase."""
    fact = facts.key.kind
    expected = f"a private key without a passphrase at {plan.ssh_key}"
    remedy = "it is the only way into the guests\n" + remedies.key_missing(plan)
    if fact.value is None:
        return Check(name, Status.FAIL, expected, fact.problem, remedy)
    return judge(name, ok=True, expected=expected, seen=fact.value)


def judge_key_private(name: str, plan: LabPlan, facts: HostFacts) -> Check:
    """Judge whether only its owner may read the key."""
    fact = facts.key.readers
    expected = "only its owner may read the key"
    if fact.missing:
        fix = remedies.key_missing(plan)
        return Check(name, Status.FAIL, expected, fact.problem, "it is the only way into the guests\n" + fix)
    remedy = "every reader of the key controls the guests, and ssh refuses to use it\n"
    remedy += remedies.key_open(facts.platform, facts.account, plan.ssh_key)
    if fact.value is None:
        return Check(name, Status.NOT_PROVEN, expected, fact.problem, remedy)
    seen = "readable by " + ", ".join(fact.value) if fact.value else "readable by its owner only"
    return judge(name, ok=not fact.value, expected=expected, seen=seen, remedy=remedy)


_JUDGES: Mapping[HostCheck, Callable[[str, LabPlan, HostFacts], Check]] = {
    HostCheck.RIGHTS: judge_rights,
    HostCheck.SESSION: judge_session,
    HostCheck.HYPERVISOR: judge_hypervisor,
    HostCheck.SERVICE: judge_service,
    HostCheck.VMRUN: judge_vmrun,
    HostCheck.SEED_DIRECTORY: judge_seed_directory,
    HostCheck.NETWORK: judge_network,
    HostCheck.SUBNET: judge_subnet,
    HostCheck.HOST_ADDRESS: judge_host_address,
    HostCheck.VM_DIRECTORY: judge_vm_directory,
    HostCheck.PATHS: judge_paths,
    HostCheck.DISK: judge_disk,
    HostCheck.MEMORY: judge_memory,
    HostCheck.K3S_SIZE: judge_k3s_size,
    HostCheck.SSH_KEY: judge_key,
    HostCheck.SSH_KEY_PRIVATE: judge_key_private,
    HostCheck.LAB: judge_lab,
}
