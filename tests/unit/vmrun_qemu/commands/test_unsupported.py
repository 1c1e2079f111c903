"""Verbs that always fail, with VMware's message for what is missing first."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_vm import fake_vm

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import unsupported


def test_there_is_no_image_of_tools(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm, pytest.raises(Failure, match=r"^No VMware Tools image is available"):
        unsupported.install_tools([vm.vmx], {})


def test_shared_folders_are_not_supported(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm, pytest.raises(Failure, match=r"^The operation is not supported$"):
        unsupported.shared_folder([vm.vmx, "share"], {})


def test_missing_tools_are_reported_first(tmp_path: Path) -> None:
    with fake_vm(tmp_path, port_is_open=False) as vm, pytest.raises(Failure, match="Tools are not running"):
        unsupported.shared_folder([vm.vmx, "share"], {})


def test_a_vm_that_is_off_is_reported_first(tmp_path: Path) -> None:
    for verb in (unsupported.install_tools, unsupported.shared_folder):
        with pytest.raises(Failure, match="is not powered on"):
            verb([str(tmp_path / "a.vmx")], {})
