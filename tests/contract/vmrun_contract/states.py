"""Machines in a state, and `vmrun`'s messages about them."""

from __future__ import annotations

from vmrun_contract.bench import Bench, Vm

TOOLS_UNKNOWN = -2
ALREADY_RUNNING = "The virtual machine should not be powered on. It is already running."


def not_powered_on(vm: Vm) -> str:
    return f"The virtual machine is not powered on: {vm}"


def paused(vm: Vm) -> str:
    return f"The virtual machine is paused: {vm}"


def started(bench: Bench, name: str = "one") -> Vm:
    vm = bench.machine(name)
    bench("start", vm, "nogui").silent()
    return vm


def suspended(bench: Bench) -> Vm:
    vm = started(bench)
    bench("suspend", vm, "hard").silent()
    return vm
