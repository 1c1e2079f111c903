"""Handle operations on a running VM, one at a time.

`client.supervisor` sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.vmrun_qemu.base.messages import UNKNOWN, Failure, not_powered_on, of_os_error
from harness.vmrun_qemu.qemu import keyboard
from harness.vmrun_qemu.supervisor import hotplug, live_operations
from harness.vmrun_qemu.supervisor.running_vm import RunningVm

Request = Mapping[str, Any]


def handle_request(vm: RunningVm, request: Request) -> Any:
    """Handle one request and return its answer.

    The request holds its `operation`, the seconds within which it must begin as `limit_s`, and its parameters.

    Raises:
        Failure: The operation failed; the VM is unchanged.
    """
    # The client no longer waits after that, so the operation must not begin. One of an older version waits for ever.
    if not vm.busy.acquire(timeout=float(request.get("limit_s", -1))):
        raise Failure(f"{UNKNOWN}: the virtual machine is busy with another command")
    try:
        if vm.ending or vm.child.poll() is not None:
            raise not_powered_on(str(vm.path))
        return _OPERATIONS[request["operation"]](vm, request)
    except OSError as error:
        raise Failure(of_os_error(error)) from error
    finally:
        vm.busy.release()


def _delete_snapshot(vm: RunningVm, request: Request) -> None:
    live_operations.delete_snapshot(vm, str(request["name"]), children=bool(request["children"]))


def _plug(vm: RunningVm, request: Request) -> None:
    device, connected = str(request["device"]), bool(request["connected"])
    hotplug.plug(vm, device, connected=connected)
    vm.plugged[device.lower()] = connected


def _read_variable(vm: RunningVm, request: Request) -> str:
    name = str(request["name"])
    return vm.variables.get(name.lower(), vm.vmx.get(name) or "")


def _write_variable(vm: RunningVm, request: Request) -> None:
    vm.variables[str(request["name"]).lower()] = str(request["value"])


def _write_environment(vm: RunningVm, request: Request) -> None:
    vm.environment[str(request["name"])] = str(request["value"])


_OPERATIONS: dict[str, Callable[[RunningVm, Request], Any]] = {
    "pause": lambda vm, _request: live_operations.pause(vm),
    "unpause": lambda vm, _request: live_operations.unpause(vm),
    "snapshot": lambda vm, request: live_operations.take_snapshot(vm, str(request["name"])),
    "delete-snapshot": _delete_snapshot,
    "suspend": lambda vm, request: live_operations.suspend(vm, str(request["address"])),
    "plug": _plug,
    "type": lambda vm, request: keyboard.type_text(vm.record["qmp"], str(request["text"])),
    "read-variable": _read_variable,
    "write-variable": _write_variable,
    "environment": lambda vm, _request: vm.environment,
    "write-environment": _write_environment,
}
