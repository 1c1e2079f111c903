"""Whatever bytes a vmrun prints, and however it ends, its driver answers with a value or an error of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from fake_run import FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import VmrunError
from harness.core.secret import Secret
from harness.core.text import decode
from harness.system.process import Completed
from harness.vmrun import Guest, GuestLogin, GuestPath, VariableKind, Vmrun
from harness.vmrun.error_table import classify
from harness.vmrun.lock_files import locks_beside
from harness.vmrun.vmware_log import error_box

VMX = Path("nowhere") / "a.vmx"
PATH = GuestPath("/x")
HEADS = (
    "Total running VMs: 2",
    "Total snapshots: 3",
    "Total host networks: 1",
    "Total port forwardings: 1",
    "Process list: 1",
    "Directory list: 2",
    "Error: ",
    "Guest program exited with non-zero exit code: ",
)
# Bytes as they come, and bytes that begin as an answer does.
ANSWERS = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda head, tail: head.encode() + b"\r\n" + tail, st.sampled_from(HEADS), st.binary(max_size=100)),
    st.builds(
        lambda head, rows: "\n".join([head, *rows]).encode(),
        st.sampled_from(HEADS),
        st.lists(st.text(alphabet="\t\r a1:.\u00e9,=", max_size=12), max_size=5),
    ),
)
CODES = st.sampled_from([0, 1, 42, 127, 254, 255, 4294967294, 4294967295, -1])
QUESTIONS: Mapping[str, Callable[[Vmrun], object]] = {
    "list": lambda vmrun: vmrun.list_running(),
    "is running": lambda vmrun: vmrun.is_running(VMX),
    "power": lambda vmrun: vmrun.power_state(VMX),
    "start": lambda vmrun: vmrun.start(VMX),
    "tools": lambda vmrun: vmrun.check_tools_state(VMX),
    "address": lambda vmrun: vmrun.guest_ip_address(VMX),
    "networks": lambda vmrun: vmrun.networks.list_host_networks(),
    "forwardings": lambda vmrun: vmrun.networks.list_port_forwardings("vmnet1"),
    "about": lambda vmrun: vmrun.about(),
    "version": lambda vmrun: vmrun.version(),
    "snapshots": lambda vmrun: vmrun.snapshots(VMX).tree(),
    "variable": lambda vmrun: vmrun.runtime(VMX).read_variable(VariableKind.GUEST_VAR, "x"),
    "program": lambda vmrun: guest(vmrun).run_program(PATH),
    "processes": lambda vmrun: guest(vmrun).list_processes(),
    "file exists": lambda vmrun: guest(vmrun).file_exists(PATH),
    "directory": lambda vmrun: guest(vmrun).list_directory(PATH),
    "temporary file": lambda vmrun: guest(vmrun).create_temporary_file(),
}


def guest(vmrun: Vmrun) -> Guest:
    return vmrun.guest(VMX, GuestLogin("lab", Secret("x")))


@pytest.mark.parametrize("question", QUESTIONS)
@settings(deadline=None)
@given(data=ANSWERS, code=CODES)
def test_any_answer_is_a_value_or_an_error_of_vmrun(question: str, data: bytes, code: int) -> None:
    def fake_run(
        argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None, keep_children: bool = False
    ) -> Completed:
        return Completed(tuple(argv), code, decode(data), "", 0.0)

    vmrun = Vmrun(("v",), run=fake_run, clock=FakeClock())
    with contextlib.suppress(VmrunError):
        QUESTIONS[question](vmrun)


@settings(deadline=None)
@given(st.binary())
def test_any_log_and_any_failure_can_be_read(data: bytes) -> None:
    text = decode(data)
    assert isinstance(error_box(text), str)
    assert isinstance(error_box("vmx Msg_Post: Error\n" + text), str)
    assert classify(text).advice


def test_locks_of_a_folder_that_is_not_there() -> None:
    assert locks_beside(VMX) == ()
