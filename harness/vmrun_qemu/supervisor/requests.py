"""The orders that the supervisor of a running machine carries out, one at a time; see `control`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.vmrun_qemu.base.messages import UNKNOWN, Failure, not_powered_on, of_os_error
from harness.vmrun_qemu.qemu import keyboard
from harness.vmrun_qemu.supervisor import hotplug, live_operations
from harness.vmrun_qemu.supervisor.running_vm import Running

Request = Mapping[str, Any]


def handle_request(run: Running, request: Request) -> Any:
    """Carry out one order, and return its answer.

    `words` are its name, as `order`, within how many seconds it must have begun, as `limit_s`, and what else it needs.

    Raises:
        Failure: It cannot be done; the machine is as it was before.
    """
    # After that nobody waits for it: it must not be carried out. A command of an older version waits for ever.
    if not run.busy.acquire(timeout=float(request.get("limit_s", -1))):
        raise Failure(f"{UNKNOWN}: the virtual machine is busy with another command")
    try:
        if run.ending or run.child.poll() is not None:
            raise not_powered_on(str(run.path))
        return _OPERATIONS[request["operation"]](run, request)
    except OSError as error:
        raise Failure(of_os_error(error)) from error
    finally:
        run.busy.release()


def _delete_snapshot(run: Running, request: Request) -> None:
    live_operations.delete_snapshot(run, str(request["name"]), children=bool(request["children"]))


def _plug(run: Running, request: Request) -> None:
    device, connected = str(request["device"]), bool(request["connected"])
    hotplug.plug(run, device, connected=connected)
    run.plugged[device.lower()] = connected


def _read_variable(run: Running, request: Request) -> str:
    name = str(request["name"])
    return run.variables.get(name.lower(), run.vmx.get(name) or "")


def _write_variable(run: Running, request: Request) -> None:
    run.variables[str(request["name"]).lower()] = str(request["value"])


def _write_environment(run: Running, request: Request) -> None:
    run.environment[str(request["name"])] = str(request["value"])


_OPERATIONS: dict[str, Callable[[Running, Request], Any]] = {
    "pause": lambda run, _words: live_operations.pause(run),
    "unpause": lambda run, _words: live_operations.unpause(run),
    "snapshot": lambda run, request: live_operations.take_snapshot(run, str(request["name"])),
    "delete-snapshot": _delete_snapshot,
    "suspend": lambda run, request: live_operations.suspend(run, str(request["address"])),
    "plug": _plug,
    "type": lambda run, request: keyboard.type_text(run.record["qmp"], str(request["text"])),
    "read-variable": _read_variable,
    "write-variable": _write_variable,
    "environment": lambda run, _words: run.environment,
    "write-environment": _write_environment,
}
