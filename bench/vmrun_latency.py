"""Measure the latency of `vmrun-qemu` commands, and of an empty Python.

Usage: python bench/vmrun_latency.py VMX [--rounds N]

The machine must be one whose guest runs the QEMU guest agent. If it is off it is started, and stopped again afterwards.
The commands take turns, so that a busy host slows all of them alike. Prints JSON: for each command the median in
milliseconds and its ratio to `python -c pass`; and the seconds of `start`, if it was needed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

_BOOT_S = 600


def run(argv: list[str]) -> tuple[float, str]:
    """Return the seconds that a command took, and its output."""
    started = time.perf_counter()
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_BOOT_S)
    return time.perf_counter() - started, done.stdout.strip()


def vmrun(*words: str) -> list[str]:
    """Return the command line of `vmrun-qemu` as its console script runs it."""
    code = "import sys; from harness.vmrun_qemu.main import main; sys.exit(main())"
    return [sys.executable, "-c", code, *words]


def start(vmx: str) -> float | None:
    """Power on the VM and wait for its agent.

    Return the seconds of `start`, or None if the VM was on.
    """
    was_off = vmx not in run(vmrun("list"))[1].splitlines()
    seconds, output = run(vmrun("start", vmx, "nogui"))
    if output:
        raise SystemExit(output)
    end = time.monotonic() + _BOOT_S
    while run(vmrun("getGuestIPAddress", vmx))[1].startswith("Error"):
        if time.monotonic() > end:
            raise SystemExit("the guest has no address")
        time.sleep(1)
    return seconds if was_off else None


def measure(vmx: str, rounds: int) -> dict[str, dict[str, float]]:
    """Return the median in milliseconds and the ratio, by command."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "list": vmrun("list"),
        "checkToolsState": vmrun("checkToolsState", vmx),
        "getGuestIPAddress": vmrun("getGuestIPAddress", vmx),
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, argv in commands.items():
            seconds[name].append(run(argv)[0])
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    nothing = medians["python -c pass"]
    return {
        name: {"median_ms": round(value * 1000, 1), "ratio": round(value / nothing, 2)}
        for name, value in medians.items()
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("vmx", type=Path)
    parser.add_argument("--rounds", type=int, default=21)
    arguments = parser.parse_args()
    vmx = str(arguments.vmx.resolve())
    started_s = start(vmx)
    try:
        figures: dict[str, object] = {**measure(vmx, arguments.rounds)}
    finally:
        if started_s is not None:
            run(vmrun("stop", vmx, "hard"))
    if started_s is not None:
        figures["start_s"] = round(started_s, 2)
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
