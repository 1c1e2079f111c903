"""Collect the facts of this host.

An exception of a collector becomes a fact with a problem.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil

from harness.config.plan import LabPlan, MachinePlan
from harness.core.layout import LEDGER
from harness.core.temporary_files import check_writable
from harness.ownership.ledger import Ledger
from harness.ownership.marker import conflicting_names, is_link
from harness.preflight import system
from harness.preflight.facts import Fact, HostFacts, Key, SeedIso, observe
from harness.preflight.networks import find_network
from harness.preflight.ssh_key import key_kind, posix_readers, windows_readers
from harness.system.disk_usage import directory_bytes
from harness.system.ports import port_is_free
from harness.system.windows.registry import Registry, this_registry
from harness.system.windows.vmware_install import installed_products, long_paths
from harness.vmrun.discovery import Hypervisor
from harness.vmrun.driver import Vmrun
from harness.vmrun.lock_files import locks_beside
from harness.vmrun.networks import PortForwarding

_MIB = 1 << 20


def collect(
    plan: LabPlan,
    hypervisor: Hypervisor,
    vmrun: Vmrun,
    inspect_iso: Callable[[Path], SeedIso],
    *,
    platform: str = sys.platform,
    windows_registry: Registry | None = None,
) -> HostFacts:
    """Return the facts of this host for a lab.

    A missing fact has its problem.

    The only change is that the embedded hypervisor defines the lab's network.
    """
    return HostFacts(
        platform=platform,
        kind=hypervisor.kind,
        version=hypervisor.version,
        vmrun=" ".join(hypervisor.vmrun_argv),
        account=system.account(platform),
        session=observe(lambda: system.session(platform)),
        products=installed_products(registry := windows_registry or this_registry()),
        long_paths=long_paths(registry),
        daemon=observe(lambda: system.daemon(hypervisor.kind, platform)),
        addresses=observe(system.adapter_addresses),
        elevated=observe(lambda: system.elevated(platform)),
        probe_directory=(probe := nearest_directory(plan.vm_directory)),
        writable=observe(lambda: check_writable(probe)),
        running=observe(vmrun.list_running),
        registered=observe(lambda: registered_directories(plan)),
        unregistered=observe(lambda: unregistered_machines(plan)),
        open_in=observe(lambda: open_machines(plan)),
        held_disk_mib=observe(lambda: {path: directory_bytes(path) // _MIB for path in registered_directories(plan)}),
        seed_directory=observe(lambda: is_directory(plan.seed_directory)),
        isos=_isos(plan, inspect_iso),
        drives=observe(lambda: system.present_drives(platform)),
        seed_mib={m.name: size for m in plan.machines if (size := observe(partial(_size_mib, m)).value)},
        network=observe(lambda: find_network(hypervisor.kind, vmrun, plan.spec.network, platform, registry)),
        free_disk_mib=observe(lambda: psutil.disk_usage(str(probe)).free // _MIB),
        free_memory_mib=observe(lambda: psutil.virtual_memory().available // _MIB),
        key=inspect_key(plan.ssh_key, platform),
        ports={m.name: _port(m.endpoint.port) for m in plan.machines if m.endpoint.forward},
        forwardings=_forwardings(plan, vmrun),
        installer=_installer(plan, inspect_iso),
    )


def nearest_directory(path: Path) -> Path:
    """Return the path, or its nearest parent that is known to exist."""
    return next((place for place in (path, *path.parents) if observe(place.exists).value), path)


def is_directory(path: Path) -> bool:
    """Return whether a path is a directory.

    Raise FileNotFoundError if it is missing.
    """
    path.stat()
    return path.is_dir()


def registered_directories(plan: LabPlan) -> tuple[Path, ...]:
    """Return the machine directories in this lab's ledger."""
    ledger = Ledger(plan.vm_directory / LEDGER, plan.spec.name)
    return tuple(Path(machine.directory) for machine in ledger.machines())


def unregistered_machines(plan: LabPlan) -> dict[str, tuple[str, ...]]:
    """Return the machines whose directory has an unregistered VM in it.

    The directory is not in this lab's ledger.

    Each with the names that show it.
    """
    known, found = registered_directories(plan), {}
    for machine in plan.machines:
        directory = machine.files.directory
        if directory in known or not os.path.lexists(directory):
            continue
        names = ("a link",) if is_link(directory) else conflicting_names(sorted(os.listdir(directory)), machine.name)  # noqa: PTH208  (names alone)
        if names:
            found[machine.name] = names
    return found


def open_machines(plan: LabPlan) -> dict[str, tuple[str, ...]]:
    """Return the machines whose files a running program has open, with its locks.

    A lock whose owner is unknown or gone says nothing.
    """
    locks = {machine.name: locks_beside(machine.files.vmx) for machine in plan.machines}
    held = {name: tuple(str(lock) for lock in found if lock.pid and not lock.stale) for name, found in locks.items()}
    return {name: names for name, names in held.items() if names}


def inspect_key(path: Path, platform: str) -> Key:
    """Return the type of the key file and its readers."""
    readers = observe(lambda: windows_readers(path) if platform == "win32" else posix_readers(path))
    return Key(observe(lambda: key_kind(path)), readers)


def _isos(plan: LabPlan, inspect_iso: Callable[[Path], SeedIso]) -> dict[str, Fact[SeedIso]]:
    """Inspect the ISOs at the same time, as each is read whole."""
    with ThreadPoolExecutor() as pool:
        facts = pool.map(lambda machine: observe(partial(_iso, machine.seed, inspect_iso)), plan.machines)
        return {machine.name: fact for machine, fact in zip(plan.machines, facts, strict=True)}


def _installer(plan: LabPlan, inspect_iso: Callable[[Path], SeedIso]) -> Fact[SeedIso] | None:
    path = plan.machines[0].installer
    return None if path is None else observe(partial(_iso, path, inspect_iso))


def _iso(path: Path, inspect_iso: Callable[[Path], SeedIso]) -> SeedIso:
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return inspect_iso(path)


def _size_mib(machine: MachinePlan) -> int:
    """Return the size of the ISOs that the machine is installed from."""
    isos = (machine.seed, machine.installer) if machine.installer else (machine.seed,)
    return -(-sum(path.stat().st_size for path in isos) // _MIB)


def _port(port: int) -> Fact[bool]:
    return observe(lambda: port_is_free(port)) if port else Fact(value=True)


def _forwardings(plan: LabPlan, vmrun: Vmrun) -> Fact[tuple[PortForwarding, ...]]:
    if not any(machine.endpoint.forward for machine in plan.machines):
        return Fact(value=())
    return observe(lambda: vmrun.networks.list_port_forwardings(plan.spec.network.vmnet))
