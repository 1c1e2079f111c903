"""captureScreen and typeKeystrokesInGuest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_qmp import RefusedError
from fake_shell_guest import FLAGS, FakeShellGuest
from fake_vm import fake_vm

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import screen


def test_qemu_writes_the_picture_after_a_login(tmp_path: Path) -> None:
    target = tmp_path / "screen.png"
    with fake_vm(tmp_path, FakeShellGuest()) as vm:
        assert screen.capture([vm.vmx, str(target)], FLAGS) == 0
        assert vm.qemu.commands == [("screendump", {"filename": str(target), "format": "png"})]


def test_without_a_login_only_where_the_variable_allows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_vm(tmp_path, FakeShellGuest(), port_is_open=False) as vm:
        with pytest.raises(Failure, match="Tools are not running"):
            screen.capture([vm.vmx, str(tmp_path / "screen.png")], {})
        monkeypatch.setenv("VMRUN_QEMU_SCREEN", "without-login")
        assert screen.capture([vm.vmx, str(tmp_path / "screen.png")], {}) == 0
        assert vm.qemu.names == ["screendump"]


def test_a_picture_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_name: str, _arguments: dict[str, Any]) -> Any:
        raise RefusedError("Permission denied")

    monkeypatch.setenv("VMRUN_QEMU_SCREEN", "without-login")
    with fake_vm(tmp_path, qemu=refuses) as vm:
        for target in (tmp_path / "none" / "screen.png", tmp_path / "screen.png"):
            with pytest.raises(Failure, match="A file access error occurred"):
                screen.capture([vm.vmx, str(target)], {})
        assert vm.qemu.names == ["screendump"]


def test_text_is_typed_after_a_login(tmp_path: Path) -> None:
    with fake_vm(tmp_path, FakeShellGuest()) as vm:
        with pytest.raises(Failure, match="Anonymous guest operations"):
            screen.type_keystrokes([vm.vmx, "root\n"], {})
        assert screen.type_keystrokes([vm.vmx, "root\n"], FLAGS) == 0
        assert vm.operations[-1] == {"operation": "type", "text": "root\n"}
