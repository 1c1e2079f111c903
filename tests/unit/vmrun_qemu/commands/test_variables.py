"""readVariable and writeVariable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_shell_guest import FLAGS, FakeShellGuest
from fake_vm import fake_vm

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import variables


def named(operation: Mapping[str, Any]) -> Any:
    return f"<{operation['name']}>"


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("runtimeConfig", "displayName", "displayName"),
        ("guestVar", "x", "guestinfo.x"),
        ("GUESTVAR", "GuestInfo.x", "guestinfo.x"),
    ],
)
def test_a_variable_is_a_key_of_the_vmx(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, name: str, key: str
) -> None:
    with fake_vm(tmp_path, operation=named) as vm:
        assert variables.read([vm.vmx, kind, name], {}) == 0
        assert capsys.readouterr().out == f"<{key}>\n"
        assert variables.write([vm.vmx, kind, name, "1"], {}) == 0
        assert vm.operations[-1] == {"operation": "write-variable", "name": key, "value": "1"}


def test_a_variable_of_the_environment_needs_a_login(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guest = FakeShellGuest(b"+value\n")
    with fake_vm(tmp_path, guest) as vm:
        with pytest.raises(Failure, match="Anonymous guest operations"):
            variables.read([vm.vmx, "guestEnv", "NAME"], {})
        assert variables.read([vm.vmx, "guestEnv", "NAME"], FLAGS) == 0
        assert capsys.readouterr().out == "value\n"
        assert variables.write([vm.vmx, "guestEnv", "NAME", "1"], FLAGS) == 0
        assert vm.operations[-1] == {"operation": "write-environment", "name": "NAME", "value": "1"}


@pytest.mark.parametrize(("kind", "name"), [("other", "x"), ("guestEnv", "not a name")])
def test_other_variables_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    with fake_vm(tmp_path, FakeShellGuest()) as vm, pytest.raises(Failure, match="One of the parameters was invalid"):
        variables.read([vm.vmx, kind, name], FLAGS)
