"""Measure what the harness adds to its guests: the same machines bare, then by `pytest scenarios/`, in one go.

Usage: python bench/overhead.py [--lab FILE]

Bare means: disks and VMX files as planned, `vmrun start` for all machines at once, then nothing but a look at the
serial files until every guest says `boot-complete`; then the three restarts of the lab, each until `boot-complete`.
No SSH, no checks. Prints seconds of both, their ratio, and the harness's peak memory, as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.claiming import claim_directory
from harness.disk import create_disk
from harness.events import Journal
from harness.guest.serial import SerialFollower
from harness.lab import Lab
from harness.layout import RunFiles
from harness.machine import Machine
from harness.phases.creation import write_vmx
from harness.phases.power_cycle import edit_vmx
from harness.ports import HeldPorts
from harness.session import Selection, lock, open_lab, select
from harness.uses import destroy
from harness.wait import Deadline, Pending, wait_until

_LIMIT_S = 3600


def wait_for_boot(machine: Machine, power_on: int) -> None:
    """Return when the guest's serial file says that this boot is complete."""
    follower = SerialFollower(machine.plan.files.serial(power_on), machine.plan.nonce)

    def probe(_: Deadline) -> bool | Pending:
        done = any(event.event == "boot-complete" for event in follower.poll())
        return True if done else Pending("no boot-complete yet")

    wait_until(probe, Deadline(_LIMIT_S), what="boot-complete", where=machine.name, interval_s=0.5)


def bare_guest(machine: Machine) -> None:
    """Take one machine through all its boots."""
    host, plan = machine.host, machine.plan
    claim_directory(host.ledger, plan, host.run_id)
    create_disk(host.hypervisor.vdiskmanager_argv, plan.files.disk, plan.disk_gib, env=host.hypervisor.env)
    write_vmx(machine)
    host.vmrun.start(plan.files.vmx)
    wait_for_boot(machine, 1)
    for number, attached in ((2, False), (3, True), (4, False)):
        stop = machine.power_off if number == 2 else machine.cut_power
        stop(Deadline(_LIMIT_S))
        edit_vmx(machine, number, attached=attached)
        host.vmrun.start(plan.files.vmx)
        wait_for_boot(machine, number)


def bare(lab: Lab) -> float:
    """Return the seconds that all machines together take without the harness; they are gone afterwards."""
    spec = lab.shared.plan.spec
    lab.shared.vmrun.networks.define_network(spec.network.vmnet.lower(), spec.network.subnet)
    started = time.monotonic()
    with ThreadPoolExecutor(len(lab.machines)) as pool:
        list(pool.map(bare_guest, lab.machines.values()))
    seconds = time.monotonic() - started
    lab.close(remove=())
    destroy(lab.shared, list(lab.machines))
    return seconds


def run_bare(selection: Selection) -> float:
    """Return `bare` of a lab that is opened for it."""
    with tempfile.TemporaryDirectory() as scratch, lock(selection), HeldPorts() as ports:
        run = RunFiles(Path(scratch))
        journal = Journal(run.events)
        seconds = bare(open_lab(selection, run, journal, ports))
        journal.close()
        return seconds


def run_harness(lab_file: Path) -> tuple[float, int, float]:
    """Return seconds and exit status of `pytest scenarios/`, and the peak memory of that process in MiB."""
    import resource  # noqa: PLC0415  (POSIX only, like this benchmark's hypervisor)

    command = [sys.executable, "-m", "pytest", str(lab_file.parent), "--lab", str(lab_file), "--keep", "never"]
    started = time.monotonic()
    code = subprocess.call(command, env={**os.environ})
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return time.monotonic() - started, code, peak_kib / 1024


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--lab", type=Path, default=Path("scenarios/lab.yaml"))
    arguments = parser.parse_args()
    without = run_bare(select(arguments.lab))
    seconds, code, peak = run_harness(arguments.lab)
    figures = {
        "bare_s": round(without, 1),
        "harness_s": round(seconds, 1),
        "ratio": round(seconds / without, 3),
        "exit_status": code,
        "largest_process_mib": round(peak, 1),
    }
    print(json.dumps(figures, indent=2))
    return code


if __name__ == "__main__":
    sys.exit(main())
