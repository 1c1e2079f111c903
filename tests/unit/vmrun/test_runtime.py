from __future__ import annotations

from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.core.errors import UsageError
from harness.core.secret import Secret
from harness.vmrun import errors
from harness.vmrun.driver import Vmrun
from harness.vmrun.invocation import GuestLogin
from harness.vmrun.runtime import VariableKind

from .samples import EXE, VMX, cmd, windows

LOGIN = GuestLogin("lab", Secret("pa ss"))


def test_variables_of_each_kind() -> None:
    run = FakeRun().on(*cmd("readVariable", VMX, "guestVar", "ip"), says=b"192.168.6.10\r\n")
    run.on(*cmd("readVariable", VMX, "runtimeConfig", "memsize"), says=b"4096\r\n")
    run.on(*cmd("writeVariable", VMX, "guestVar", "lab.nonce", "a b"))
    run.on(
        *(EXE, "-T", "ws", "-gu", "lab", "-gp", "pa ss"),
        *("readVariable", VMX, "guestEnv", "PATH"),
        says=b"/bin:/usr/bin\r\n",
    )
    runtime = windows(run).runtime(Path(VMX))
    assert runtime.read_variable(VariableKind.GUEST_VAR, "ip") == "192.168.6.10"
    assert runtime.read_variable(VariableKind.GUEST_VAR, "guestinfo.ip") == "192.168.6.10"
    assert runtime.read_variable(VariableKind.RUNTIME_CONFIG, "memsize") == "4096"
    runtime.write_variable(VariableKind.GUEST_VAR, "lab.nonce", "a b")
    assert windows(run).runtime(Path(VMX), LOGIN).read_variable(VariableKind.GUEST_ENV, "PATH") == "/bin:/usr/bin"


@pytest.mark.parametrize(("says", "value"), [(b"", ""), (b"\r\n", ""), (b" a\r\nError: b\r\n", " a\nError: b")])
def test_a_value_is_what_was_printed_and_one_that_is_not_set_is_empty(says: bytes, value: str) -> None:
    run = FakeRun().on(*cmd("readVariable", VMX, "guestVar", "x"), says=says)
    assert windows(run).runtime(Path(VMX)).read_variable(VariableKind.GUEST_VAR, "x") == value


def test_a_failure_is_no_value() -> None:
    run = FakeRun().on(*cmd("readVariable", VMX, "guestVar", "x"), says=b"Error: The file is already in use\r\n")
    with pytest.raises(errors.VmBusy):
        windows(run).runtime(Path(VMX)).read_variable(VariableKind.GUEST_VAR, "x")


def test_devices() -> None:
    run = FakeRun().on(*cmd("connectNamedDevice", VMX, "sata0:1")).on(*cmd("disconnectNamedDevice", VMX, "ethernet0"))
    runtime = windows(run).runtime(Path(VMX))
    runtime.connect_device("sata0:1")
    runtime.disconnect_device("ethernet0")
    assert len(run.calls) == 2


@pytest.mark.parametrize("name", ["", "a/b", "a b", "guestinfo.", "-x y"])
def test_names_that_vmware_would_not_understand(name: str) -> None:
    runtime = Vmrun(("v",), run=FakeRun()).runtime(Path("a.vmx"))
    with pytest.raises(UsageError):
        runtime.read_variable(VariableKind.GUEST_VAR, name)
    with pytest.raises(UsageError):
        runtime.connect_device(name)
