"""Looking at the host. Each function looks at one thing; `collect` makes a fact of whatever it raises."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil

from harness.config.plan import LabPlan
from harness.core.layout import LEDGER
from harness.ownership.ledger import Ledger
from harness.preflight import system
from harness.preflight.facts import Fact, HostFacts, Key, SeedIso, observe
from harness.preflight.networks import look_for_network
from harness.preflight.ssh_key import key_kind, posix_readers, windows_readers
from harness.system.disk_usage import directory_bytes
from harness.system.ports import port_is_free
from harness.system.windows.registry import Registry, this_registry
from harness.system.windows.vmware_install import installed_products, long_paths
from harness.vmrun import PortForwarding, Vmrun
from harness.vmrun.discovery import Hypervisor

_MIB = 1 << 20


def collect(
    plan: LabPlan,
    hypervisor: Hypervisor,
    vmrun: Vmrun,
    inspect_iso: Callable[[Path], SeedIso],
    *,
    platform: str = sys.platform,
    registry: Registry | None = None,
) -> HostFacts:
    """Return the facts of this host for that lab; what cannot be had is a fact with its problem.

    The embedded hypervisor is told of the lab's network, which it remembers; nothing else is changed.
    """
    registry = registry or this_registry()
    probe = nearest_directory(plan.vm_directory)
    spec = plan.spec.network
    return HostFacts(
        platform=platform,
        kind=hypervisor.kind,
        version=hypervisor.version,
        vmrun=" ".join(hypervisor.vmrun_argv),
        account=system.account(platform),
        session=observe(lambda: system.session(platform)),
        products=installed_products(registry),
        long_paths=long_paths(registry),
        daemon=observe(lambda: system.daemon(hypervisor.kind, platform)),
        addresses=observe(system.adapter_addresses),
        elevated=observe(lambda: system.elevated(platform)),
        probe_directory=probe,
        writable=observe(lambda: takes_a_file(probe)),
        running=observe(vmrun.list_running),
        claimed=observe(lambda: claimed(plan)),
        held_disk_mib=observe(lambda: {path: directory_bytes(path) // _MIB for path in claimed(plan)}),
        seed_directory=observe(lambda: is_directory(plan.seed_directory)),
        isos={machine.name: observe(partial(_iso, machine.seed, inspect_iso)) for machine in plan.machines},
        network=observe(lambda: look_for_network(hypervisor.kind, vmrun, spec, platform, registry)),
        free_disk_mib=observe(lambda: psutil.disk_usage(str(probe)).free // _MIB),
        free_memory_mib=observe(lambda: psutil.virtual_memory().available // _MIB),
        key=look_at_key(plan.ssh_key, platform),
        ports={m.name: _port(m.endpoint.port) for m in plan.machines if m.endpoint.forward},
        forwardings=_forwardings(plan, vmrun),
    )


def nearest_directory(path: Path) -> Path:
    """Return the path itself, or the nearest thing above it of which can be told that it exists."""
    return next((place for place in (path, *path.parents) if observe(place.exists).value), path)


def takes_a_file(directory: Path) -> bool:
    """Return True after a file was made in that directory and removed again; raises OSError otherwise."""
    if not directory.is_dir():  # Windows would say that the new file does not exist
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(directory))
    with tempfile.TemporaryFile(dir=directory, prefix=".lab-write-test-"):  # on Linux it never has a name
        return True


def is_directory(path: Path) -> bool:
    """Return whether it is a directory; raises FileNotFoundError where there is nothing."""
    path.stat()
    return path.is_dir()


def claimed(plan: LabPlan) -> tuple[Path, ...]:
    """Return the machine directories that this lab's ledger names."""
    ledger = Ledger(plan.vm_directory / LEDGER, plan.spec.name)
    return tuple(Path(machine.directory) for machine in ledger.machines())


def look_at_key(path: Path, platform: str) -> Key:
    """Return what the key file is and who may read it."""
    readers = observe(lambda: windows_readers(path) if platform == "win32" else posix_readers(path))
    return Key(observe(lambda: key_kind(path)), readers)


def _iso(path: Path, inspect_iso: Callable[[Path], SeedIso]) -> SeedIso:
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return inspect_iso(path)


def _port(port: int) -> Fact[bool]:
    return observe(lambda: port_is_free(port)) if port else Fact(value=True)


def _forwardings(plan: LabPlan, vmrun: Vmrun) -> Fact[tuple[PortForwarding, ...]]:
    if not any(machine.endpoint.forward for machine in plan.machines):
        return Fact(value=())
    return observe(lambda: vmrun.networks.list_port_forwardings(plan.spec.network.vmnet))
