"""Orders to a supervisor that is at work already."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.supervisor import requests
from harness.vmrun_qemu.supervisor.running_vm import RunningVm


def test_an_order_whose_giver_has_gone_is_not_carried_out_later(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    operations = {"pause": lambda _vm, request: done.append(str(request["operation"]))}
    monkeypatch.setattr(requests, "_OPERATIONS", operations)
    busy = threading.RLock()
    vm = cast(
        "RunningVm",
        SimpleNamespace(busy=busy, ending=False, child=SimpleNamespace(poll=lambda: None), path=Path("/a.vmx")),
    )
    said: list[Any] = []

    def other() -> None:
        try:
            requests.handle_request(vm, {"operation": "pause", "limit_s": 0.05})
        except Failure as failure:
            said.append(failure.text)

    with busy:
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        thread.join(10)
    assert said == ["Unknown error: the virtual machine is busy with another command"]
    assert done == []
    requests.handle_request(vm, {"operation": "pause", "limit_s": 5})
    requests.handle_request(vm, {"operation": "pause"})
    assert done == ["pause", "pause"]
    assert busy.acquire(timeout=1)
