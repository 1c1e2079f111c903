"""Measure what the harness adds to its guests: the same machines bare, then by `pytest scenarios/`, in one go.

Usage: python bench/overhead.py [--lab FILE]

Bare means: disks and VMX files as planned, `vmrun start` for all machines at once, then nothing but a look at the
serial files until every guest says `boot-complete`; then the three restarts of the lab, each until `boot-complete`;
then their removal, which is a part of both. No SSH, no checks.

Prints seconds of both, their ratio, and the peak memory of the harness, as JSON. A shared machine may be twice as fast
in one minute as in the next, so a fixed loop is timed every few seconds: `ratio_of_work` has the seconds of each half
multiplied by the mean speed of that loop.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.core.deadline import Deadline, Pending, wait_until
from harness.core.layout import RunFiles
from harness.guest.serial import SerialFollower
from harness.lab.closing import delete_machines
from harness.lab.lab import Lab
from harness.lab.opening import open_lab
from harness.lab.selection import Selection, lock, select
from harness.machine.machine import Machine
from harness.ownership.register import register_directory
from harness.phases.creation import write_vmx
from harness.phases.power_cycle import edit_vmx
from harness.results.journal import Journal
from harness.system.ports import HeldPorts
from harness.vmrun.vdiskmanager import create_disk

_LIMIT_S = 3600
_SAMPLED_EVERY_S = 3.0
_LOOP = 300_000


class Speedometer:
    """Times a fixed loop while something else is measured; used as a context.

    Attributes:
        seconds: How long the context was open.
        speed: Mean loops per second of processor time.
    """

    def __enter__(self) -> Speedometer:
        self._done = threading.Event()
        self._speeds: list[float] = []
        self._thread = threading.Thread(target=self._sample)
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._started
        self._done.set()
        self._thread.join()
        self.speed = statistics.fmean(self._speeds)

    def _sample(self) -> None:
        while True:
            started, total = time.thread_time(), 0
            for number in range(_LOOP):
                total += number * number
            self._speeds.append(1 / (time.thread_time() - started))
            if self._done.wait(_SAMPLED_EVERY_S):
                return


def wait_for_boot(machine: Machine, power_on: int) -> None:
    """Return when the guest's serial file says that this boot is complete."""
    follower = SerialFollower(machine.plan.files.serial(power_on), machine.plan.nonce)

    def probe(_: Deadline) -> bool | Pending:
        done = any(event.event == "boot-complete" for event in follower.poll())
        return True if done else Pending("no boot-complete yet")

    wait_until(probe, Deadline(_LIMIT_S), what="boot-complete", where=machine.name, interval_s=0.5)


def bare_guest(machine: Machine) -> None:
    """Take one machine through all its boots."""
    host, plan = machine.context, machine.plan
    register_directory(host.ledger, plan, host.run_id)
    create_disk(host.hypervisor.vdiskmanager_argv, plan.files.disk, plan.disk_gib, env=host.hypervisor.env)
    write_vmx(machine)
    host.vmrun.start(plan.files.vmx)
    wait_for_boot(machine, 1)
    for number, attached in ((2, False), (3, True), (4, False)):
        stop = machine.power.off if number == 2 else machine.power.cut
        stop(Deadline(_LIMIT_S))
        edit_vmx(machine, number, attached=attached)
        host.vmrun.start(plan.files.vmx)
        wait_for_boot(machine, number)


def bare(lab: Lab) -> Speedometer:
    """Return what all machines together take without the harness; they are gone afterwards."""
    spec = lab.context.plan.spec
    lab.context.vmrun.networks.define_network(spec.network.vmnet.lower(), spec.network.subnet)
    with Speedometer() as meter:
        with ThreadPoolExecutor(len(lab.machines)) as pool:
            list(pool.map(bare_guest, lab.machines.values()))
        lab.stop()
        lab.context.gateway.close()
        delete_machines(lab.context, list(lab.machines))
    return meter


def run_bare(selection: Selection) -> Speedometer:
    """Return `bare` of a lab that is opened for it."""
    with tempfile.TemporaryDirectory() as scratch, lock(selection), HeldPorts() as ports:
        run = RunFiles(Path(scratch))
        journal = Journal(run.events)
        meter = bare(open_lab(selection, run, journal, ports))
        journal.close()
        return meter


def run_harness(lab_file: Path) -> tuple[Speedometer, int, float]:
    """Return what `pytest scenarios/` takes, its exit status, and the peak memory of that process in MiB."""
    import resource  # noqa: PLC0415  (POSIX only, like this benchmark's hypervisor)

    command = [sys.executable, "-m", "pytest", str(lab_file.parent), "--lab", str(lab_file), "--keep", "never"]
    with Speedometer() as meter:
        code = subprocess.call(command, env={**os.environ})
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return meter, code, peak_kib / 1024


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--lab", type=Path, default=Path("scenarios/lab.yaml"))
    arguments = parser.parse_args()
    without = run_bare(select(arguments.lab))
    harness, code, peak = run_harness(arguments.lab)
    ratio = harness.seconds / without.seconds
    figures = {
        "bare_s": round(without.seconds, 1),
        "harness_s": round(harness.seconds, 1),
        "ratio": round(ratio, 3),
        "bare_speed": round(without.speed, 1),
        "harness_speed": round(harness.speed, 1),
        "ratio_of_work": round(ratio * harness.speed / without.speed, 3),
        "exit_status": code,
        "largest_process_mib": round(peak, 1),
    }
    print(json.dumps(figures, indent=2))
    return code


if __name__ == "__main__":
    sys.exit(main())
