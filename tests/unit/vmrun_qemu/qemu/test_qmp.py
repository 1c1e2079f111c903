"""QMP sessions with a real QEMU that has no machine."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.vmrun_qemu.base.wait import wait_for
from harness.vmrun_qemu.qemu import qmp

PROGRAM = shutil.which("qemu-system-x86_64")
needs_qemu = pytest.mark.skipif(PROGRAM is None, reason="qemu-system-x86_64 is not installed")


class Running(NamedTuple):
    """A QEMU and the address of its QMP socket."""

    process: subprocess.Popen[bytes]
    address: str


@pytest.fixture
def qemu() -> Iterator[Running]:
    """Return a QEMU without a machine, with one closed port."""
    with tempfile.TemporaryDirectory(prefix="vq-", dir="/tmp") as folder:
        address = f"{folder}/qmp"
        argv = [
            str(PROGRAM), "-machine", "none", "-nodefaults", "-display", "none", "-chardev", "null,id=agent",
            "-chardev", f"socket,id=qmp,path={address},server=on,wait=off", "-mon", "chardev=qmp,mode=control",
        ]  # fmt: skip
        process = subprocess.Popen(argv)
        try:
            assert wait_for(lambda: qmp.is_up(address), 60)
            yield Running(process, address)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(30)


@needs_qemu
def test_a_session_answers_each_command_or_reports_qemus_error(qemu: Running) -> None:
    status, ports = qmp.ask(qemu.address, ("query-status", {}), ("query-chardev", {}))
    assert status["status"] in ("running", "prelaunch")
    assert {port["label"] for port in ports} == {"agent", "qmp"}
    assert "agent: filename=null" in qmp.human(qemu.address, "info chardev")
    with pytest.raises(qmp.QmpError, match="'x' not found") as caught:
        qmp.ask(qemu.address, ("query-status", {}), ("object-del", {"id": "x"}))
    assert caught.value.text == f"Unknown error: {caught.value}"


@needs_qemu
def test_a_port_that_no_program_has_open_is_closed(qemu: Running) -> None:
    assert not qmp.port_is_open(qemu.address, "agent")
    assert not qmp.port_is_open(qemu.address, "none")


@needs_qemu
def test_a_stopped_qemu_is_silent_and_not_ended(qemu: Running) -> None:
    qemu.process.send_signal(signal.SIGSTOP)
    with pytest.raises(qmp.QmpSilentError, match="did not answer within"):
        qmp.ask(qemu.address, ("query-status", {}), timeout_s=1)
    qemu.process.send_signal(signal.SIGCONT)
    assert qmp.quit_qemu(qemu.address)
    assert qemu.process.wait(60) == 0


def test_an_address_without_a_qemu_is_down(tmp_path: Path) -> None:
    address = str(tmp_path / "none")
    with pytest.raises(qmp.QmpError, match="QEMU does not run"):
        qmp.ask(address, ("stop", {}))
    assert not qmp.is_up(address)
    assert not qmp.port_is_open(address, "agent")
    assert qmp.quit_qemu(address), "it has ended already"
