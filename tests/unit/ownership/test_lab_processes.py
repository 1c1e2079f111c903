from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from needs import own_command_line

from harness.airgap import registry_proxy
from harness.core.layout import LAB_VARIABLE
from harness.ownership.lab_processes import find_lab_processes, judge_process

SLEEP = "import time; print('ready', flush=True); time.sleep(60)"
SUPERVISOR = "harness.vmrun_qemu.supervisor.main"


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(*words: str, cwd: Path, **variables: object) -> subprocess.Popen[bytes]:
    environ = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    process = subprocess.Popen([sys.executable, *words], env=environ, cwd=cwd, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    return process


@own_command_line
def test_the_processes_of_a_lab_are_found_and_ended(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    vms, home = tmp_path / "vms", tmp_path / "vms" / ".hypervisor"
    (tmp_path / "serve").write_text(SLEEP)
    vmx = vms / "m1" / "m1.vmx"
    ours = [
        start("-c", SLEEP, SUPERVISOR, str(vmx), "nogui", cwd=tmp_path, VMRUN_QEMU_HOME=home),
        start("serve", cwd=tmp_path, **{LAB_VARIABLE: vms}),
    ]
    others = [
        start("-c", SLEEP, SUPERVISOR, str(vmx), cwd=tmp_path, VMRUN_QEMU_HOME=tmp_path / "other"),
        start("-c", SLEEP, cwd=tmp_path, VMRUN_QEMU_HOME=home),  # as a shell in which the variable was set
        start("serve", cwd=tmp_path, **{LAB_VARIABLE: tmp_path}),
    ]
    started += [*ours, *others]
    found = find_lab_processes(vms, ("VMRUN_QEMU_HOME", home))
    assert {(process.pid, process.vmx) for process in found} == {(ours[0].pid, vmx), (ours[1].pid, None)}
    assert f"the supervisor of {vmx}, process {ours[0].pid}" in {str(process) for process in found}
    assert all(process.end() for process in found)
    assert all(process.wait(10) is not None for process in ours)
    assert [process.poll() for process in others] == [None] * 3
    assert all(process.end() for process in found)
    assert find_lab_processes(vms, ("VMRUN_QEMU_HOME", home)) == ()


def test_what_a_process_does_is_read_from_its_command_line(tmp_path: Path) -> None:
    vms, home = tmp_path / "vms", ("VMRUN_QEMU_HOME", tmp_path / "vms" / ".hypervisor")
    proxy = ["python", "-I", "-S", registry_proxy.__file__, "settings.json"]
    ours = {LAB_VARIABLE: str(vms)}
    assert judge_process(proxy, ours, vms, None) == ("the proxy of the container registry", None)
    assert judge_process(proxy, {}, vms, None) is None
    environ = {home[0]: str(home[1])}
    network = ["python", "-P", "-m", "harness.vmrun_qemu.network.daemon", "vmnet1"]
    disk = Path(os.path.realpath(vms)) / "m1" / "m1.vmdk"
    assert judge_process(network, environ, vms, home) == ("the embedded hypervisor (network.daemon)", None)
    assert judge_process(["/usr/bin/qemu-system-x86_64", f"file={disk}"], environ, vms, home) == ("QEMU", None)
    for argv in (["qemu-system-x86_64", "other.img"], ["python", "-m", "harness.vmrun_qemu", "list"], ["bash"], []):
        assert judge_process(argv, environ, vms, home) is None
    assert judge_process(network, environ, vms, None) is None
    assert judge_process(network, {}, vms, home) is None
