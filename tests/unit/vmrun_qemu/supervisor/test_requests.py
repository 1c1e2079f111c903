"""Requests to a supervisor that is busy."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.supervisor import requests
from harness.vmrun_qemu.supervisor.running_vm import RunningVm


def write(value: str, **more: Any) -> dict[str, Any]:
    return {"operation": "write-variable", "name": "x", "value": value, **more}


def test_a_request_whose_client_has_given_up_is_not_carried_out_later() -> None:
    busy = threading.RLock()
    child, variables = SimpleNamespace(poll=lambda: None), dict[str, str]()
    vm = cast(
        "RunningVm",
        SimpleNamespace(busy=busy, ending=False, child=child, path=Path("/a.vmx"), variables=variables),
    )
    failures: list[str] = []

    def other() -> None:
        try:
            requests.handle_request(vm, write("late", limit_s=0.05))
        except Failure as failure:
            failures.append(failure.text)

    with busy:
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        thread.join(10)
    assert failures == ["Unknown error: the virtual machine is busy with another command"]
    assert variables == {}
    requests.handle_request(vm, write("1", limit_s=5))
    assert variables == {"x": "1"}
    requests.handle_request(vm, write("2"))
    assert variables == {"x": "2"}
    assert busy.acquire(timeout=1)
