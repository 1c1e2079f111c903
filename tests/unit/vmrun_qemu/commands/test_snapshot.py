"""The snapshot verbs of running and stopped VMs."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_vm import fake_vm

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import snapshot


def test_the_snapshots_of_a_running_vm_are_its_supervisors(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        assert snapshot.snapshot([vm.vmx, "one"], {}) == 0
        assert snapshot.delete([vm.vmx, "one"], {}) == 0
        assert snapshot.delete([vm.vmx, "one", "andDeleteChildren"], {}) == 0
        assert vm.operations == [
            {"operation": "snapshot", "name": "one"},
            {"operation": "delete-snapshot", "name": "one", "children": False},
            {"operation": "delete-snapshot", "name": "one", "children": True},
        ]


def test_a_paused_vm_has_no_snapshots_taken_or_deleted(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        vm.enter("paused")
        for verb in (snapshot.snapshot, snapshot.delete):
            with pytest.raises(Failure, match="is paused"):
                verb([vm.vmx, "one"], {})
        assert vm.operations == []


def test_a_running_vm_is_not_reverted_to_a_snapshot_that_is_missing(tmp_path: Path) -> None:
    with fake_vm(tmp_path) as vm:
        with pytest.raises(Failure, match="The snapshot does not exist"):
            snapshot.revert([vm.vmx, "one"], {})
        assert vm.qemu.names == []


def test_a_vm_that_is_off_has_its_snapshots_in_a_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vmx = tmp_path / "a.vmx"
    vmx.write_text('displayName = "a"\n', encoding="utf-8")
    for name in ("one", "two"):
        assert snapshot.snapshot([str(vmx), name], {}) == 0
    snapshot.list_snapshots([str(vmx)], {})
    snapshot.list_snapshots([str(vmx), "showTree"], {})
    assert capsys.readouterr().out == "Total snapshots: 2\none\ntwo\nTotal snapshots: 2\none\n\ttwo\n"
    assert snapshot.revert([str(vmx), "one"], {}) == 0
    assert snapshot.delete([str(vmx), "one", "andDeleteChildren"], {}) == 0
    snapshot.list_snapshots([str(vmx)], {})
    assert capsys.readouterr().out == "Total snapshots: 0\n"


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="One of the parameters was invalid: more"):
        snapshot.list_snapshots([str(tmp_path / "a.vmx"), "more"], {})
    with pytest.raises(Failure, match="One of the parameters was invalid: more"):
        snapshot.delete([str(tmp_path / "a.vmx"), "one", "more"], {})
