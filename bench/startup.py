"""Measure how long collection, `lab` and `vmrun-qemu list` take to start, as multiples of `python -c pass`.

Usage: python bench/startup.py [--rounds N]

Run it on Linux or macOS, in the environment that the harness is installed in. The commands take turns, so that a busy
host slows all of them alike; the first round only fills caches. What a file without a lab takes is pytest's own share
of a collection. Prints JSON: for each command the median in milliseconds of wall time and of processor time (user and
system, child processes included), and both as multiples of `python -c pass`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_LAB = [sys.executable, "-c", "import sys; from harness.cli.main import main; sys.argv[0] = 'lab'; main()"]
_COLLECT = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
_NO_LAB = ["-c", os.devnull, "--noconftest", "-p", "no:hypothesispytest"]
_LIST = [sys.executable, "-c", "import sys; from harness.vmrun_qemu.main import main; sys.exit(main())", "list"]
_NOTHING = "python -c pass"
# Without the cache of compiled modules each start would compile them.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_COMMANDS = {
    _NOTHING: [sys.executable, "-c", "pass"],
    "collect scenarios/": [*_COLLECT, "scenarios"],
    "collect a file without a lab": [*_COLLECT, *_NO_LAB, __file__],
    "lab --help": [*_LAB, "--help"],
    "lab plan": [*_LAB, "plan"],
    "lab doctor": [*_LAB, "doctor"],
    "lab status": [*_LAB, "status"],
    "vmrun-qemu list": _LIST,
}


def run(argv: list[str], cwd: Path) -> tuple[float, float]:
    """Return the seconds of wall time and of processor time that a command takes."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, cwd=cwd, env=_ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usage = os.wait4(process.pid, 0)[2]
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime


def measure(rounds: int, cwd: Path) -> dict[str, dict[str, float]]:
    """Return the medians in milliseconds and their ratios to `python -c pass`, by command."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in _COMMANDS}
    for number in range(rounds + 1):
        for name, argv in _COMMANDS.items():
            figures = run(argv, cwd)
            if number > 0:
                taken[name].append(figures)
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in taken.items()}
    nothing = medians[_NOTHING]
    return {
        name: {
            "wall_ms": round(wall * 1000, 1),
            "cpu_ms": round(cpu * 1000, 1),
            "wall_ratio": round(wall / nothing[0], 1),
            "cpu_ratio": round(cpu / nothing[1], 1),
        }
        for name, (wall, cpu) in medians.items()
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=9)
    print(json.dumps(measure(parser.parse_args().rounds, _ROOT), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
