"""When a machine counts as off."""

from __future__ import annotations

from typing import cast

import pytest

from harness.system import process_identity as pids
from harness.vmrun_qemu.base import records as instances
from harness.vmrun_qemu.commands import power

SUPERVISOR: pids.Identity = {"pid": 5, "created": 1.0}
RECORD = cast("instances.Record", {"vmx": "a.vmx", "supervisor": SUPERVISOR})


def test_a_machine_is_gone_when_its_supervisor_is(monkeypatch: pytest.MonkeyPatch) -> None:
    alive = [False, True, True]
    monkeypatch.setattr(instances, "find", lambda _: None)
    monkeypatch.setattr(pids, "alive", lambda who: who == SUPERVISOR and alive.pop())
    assert power.gone(RECORD, 1.0)
    assert alive == []


def test_a_machine_that_is_on_is_not_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "find", lambda _: RECORD)
    assert not power.gone(RECORD, 0.05)
