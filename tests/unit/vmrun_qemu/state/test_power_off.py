"""Cutting the power: QEMU gets the command to quit."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from fake_qmp import fake_qmp
from vm_record import record_of

from harness.system.process_identity import identity
from harness.vmrun_qemu.base import records
from harness.vmrun_qemu.state.power_off import stop_hard


def test_qemu_gets_the_command_to_quit() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as supervisor:
        assert supervisor.stdin is not None
        end = supervisor.stdin.close

        def quit_at_once(_name: str, _arguments: dict[str, Any]) -> Any:
            records.forget("/vms/a.vmx")
            end()
            return {}

        with fake_qmp(quit_at_once) as qmp:
            record = record_of(supervisor=identity(supervisor.pid), qmp=qmp.address)
            records.save(record)
            assert stop_hard(record) == 0
            assert qmp.names == ["quit"]
