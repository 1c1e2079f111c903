from __future__ import annotations

from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.core.deadline import Deadline
from harness.core.errors import UsageError
from harness.vmrun import errors
from harness.vmrun.driver import Vmrun
from harness.vmrun.power import PowerState
from harness.vmrun.snapshots import Snapshot, SnapshotTree, parse_snapshots

from .samples import EXE, MINUS_ONE, NONE, ONE, VMX, cmd, windows

# As captured on Windows: one TAB before a name per level.
TREE = b"Total snapshots: 3\r\ns1\r\n\ts2 with space\r\n\t\ts3\r\n"
EMPTY = b"Total snapshots: 0\r\n"
LIST = cmd("listSnapshots", VMX, "showTree")


def tree(*rows: str) -> bytes:
    return "\r\n".join([f"Total snapshots: {len(rows)}", *rows, ""]).encode()


# -- the tree --------------------------------------------------------------------------------------------------------


def test_the_tree_that_was_captured() -> None:
    seen = windows(FakeRun().on(*LIST, says=TREE)).snapshots(Path(VMX)).tree()
    assert seen == SnapshotTree((Snapshot("s1", (Snapshot("s2 with space", (Snapshot("s3"),)),)),))
    assert seen.names == ("s1", "s2 with space", "s3")


def test_a_tree_with_branches_and_several_roots() -> None:
    text = "Total snapshots: 6\na\n\tb\n\t\tc\n\td\ne\n\tError: a name\n"
    seen = parse_snapshots(text)
    a, e = seen.roots
    assert [child.name for child in a.children] == ["b", "d"]
    assert [child.name for child in e.children] == ["Error: a name"]
    assert [snapshot.name for snapshot in seen] == ["a", "b", "c", "d", "e", "Error: a name"]


def test_a_deep_tree_is_no_matter() -> None:
    depth = 2000
    text = f"Total snapshots: {depth}\n" + "".join("\t" * level + f"s{level}\n" for level in range(depth))
    assert len(parse_snapshots(text).names) == depth


def test_no_snapshot() -> None:
    assert windows(FakeRun().on(*LIST, says=EMPTY)).snapshots(Path(VMX)).tree().names == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("s1\n", "no line"),
        ("Total snapshots: 2\ns1\n", "1 names"),
        ("Total snapshots: 1\n\ts1\n", "no parent"),
        ("Total snapshots: 2\ns1\n\t\ts3\n", "no parent"),
    ],
)
def test_a_tree_that_cannot_be_read(text: str, why: str) -> None:
    with pytest.raises(errors.UnexpectedAnswer, match=why):
        windows(FakeRun().on(*LIST, says=text)).snapshots(Path(VMX)).tree()


def test_a_name_that_looks_like_a_failure_is_a_name_and_a_failure_is_not() -> None:
    run = FakeRun().on(*LIST, says=b"Total snapshots: 1\r\nError: The file is already in use\r\n")
    assert windows(run).snapshots(Path(VMX)).tree().names == ("Error: The file is already in use",)
    run = FakeRun().on(*LIST, says=b"Error: The file is already in use\r\n")
    with pytest.raises(errors.VmBusy):
        windows(run).snapshots(Path(VMX)).tree()


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\\b", "a\nb", " a", "a ", "a\tb"])
def test_a_name_that_vmware_would_misread_is_refused_before_any_call(name: str) -> None:
    run = FakeRun()
    snapshots = windows(run).snapshots(Path(VMX))
    for call in (snapshots.take, snapshots.delete):
        with pytest.raises(UsageError, match="cannot be the name of a snapshot"):
            call(name)
    with pytest.raises(UsageError, match="cannot be the name of a snapshot"):
        snapshots.revert(name, deadline=Deadline(9, run.clock))
    assert run.calls == []


@pytest.mark.parametrize("name", ["nope", "s2"])
def test_the_error_for_a_missing_snapshot_names_the_existing_ones(name: str) -> None:
    run = FakeRun().on(*LIST, says=TREE)
    snapshots = windows(run).snapshots(Path(VMX))
    with pytest.raises(errors.SnapshotMissing, match="there are: s1, s2 with space, s3"):
        snapshots.revert(name, deadline=Deadline(9, run.clock))
    with pytest.raises(errors.SnapshotMissing, match="there are: s1, s2 with space, s3"):
        snapshots.delete(name)
    assert set(run.calls) == {LIST}


def test_names_that_differ_in_case_only_are_one_for_vmware() -> None:
    run = FakeRun().on(*LIST, says=tree("Base", "\tbase"))
    snapshots = windows(run).snapshots(Path(VMX))
    with pytest.raises(errors.SnapshotAmbiguous, match="'Base', 'base'"):
        snapshots.delete("Base")
    with pytest.raises(errors.SnapshotExists):
        snapshots.take("BASE")
    assert set(run.calls) == {LIST}


# -- take, delete ----------------------------------------------------------------------------------------------------


def test_a_snapshot_is_taken_when_it_is_in_the_tree() -> None:
    run = FakeRun().on(*LIST, says=EMPTY).on(*LIST, says=tree("clean base")).on(*cmd("snapshot", VMX, "clean base"))
    windows(run).snapshots(Path(VMX)).take("clean base")
    assert run.timeouts[1] == 1800
    run = FakeRun().on(*LIST, says=EMPTY).on(*cmd("snapshot", VMX, "clean base"))
    with pytest.raises(errors.UnexpectedAnswer, match="there is no snapshot"):
        windows(run).snapshots(Path(VMX)).take("clean base")


def test_a_snapshot_that_fails_with_the_status_of_a_success() -> None:
    run = FakeRun().on(*LIST, says=EMPTY)
    run.on(*cmd("snapshot", VMX, "a"), says=(b"Error: The operation is not supported\r\n", 0))
    with pytest.raises(errors.NotSupported, match="does not allow"):
        windows(run).snapshots(Path(VMX)).take("a")


def test_a_snapshot_is_deleted_when_it_is_no_longer_in_the_tree() -> None:
    run = FakeRun().on(*LIST, says=TREE).on(*LIST, says=tree("s1"))
    run.on(*cmd("deleteSnapshot", VMX, "s2 with space", "andDeleteChildren"))
    windows(run).snapshots(Path(VMX)).delete("s2 with space", with_children=True)
    run = FakeRun().on(*LIST, says=TREE).on(*cmd("deleteSnapshot", VMX, "s3"))
    with pytest.raises(errors.UnexpectedAnswer, match="still there"):
        windows(run).snapshots(Path(VMX)).delete("s3")


def test_a_snapshot_whose_disks_a_clone_uses_stays(tmp_path: Path) -> None:
    vmx = tmp_path / "a.vmx"
    (tmp_path / "c.vmx").write_text("", encoding="utf-8")
    (tmp_path / "a.vmsd").write_text(
        'snapshot0.displayName = "base"\nsnapshot1.displayName = "later"\n'
        'snapshot1.clone0 = "c.vmx"\nsnapshot1.clone1 = "gone.vmx"\n',
        encoding="utf-8",
    )
    listed = ("v", "-T", "ws", "listSnapshots", str(vmx), "showTree")
    run = FakeRun().on(*listed, says=tree("base", "\tlater"))
    driver = Vmrun(("v",), run=run, clock=run.clock)
    for name, children in (("later", False), ("base", True)):
        with pytest.raises(errors.ClonesDepend, match=r"c\.vmx"):
            driver.snapshots(vmx).delete(name, with_children=children)
    with pytest.raises(errors.ClonesDepend, match=r"c\.vmx"):
        driver.delete_vm(vmx)
    run.on(*listed, says=tree("later")).on("v", "-T", "ws", "deleteSnapshot", str(vmx), "base")
    driver.snapshots(vmx).delete("base")
    (tmp_path / "c.vmx").unlink()
    run.on("v", "-T", "ws", "deleteVM", str(vmx))
    driver.delete_vm(vmx)


# -- revert ----------------------------------------------------------------------------------------------------------


def test_a_machine_that_runs_loses_its_power_before_the_revert() -> None:
    state = {"list": ONE}
    run = FakeRun().on(*LIST, says=TREE).on(*cmd("list"), says=lambda: state["list"])
    run.on(*cmd("stop", VMX, "hard"), then=lambda: state.update(list=NONE)).on(*cmd("revertToSnapshot", VMX, "s3"))
    done = windows(run).snapshots(Path(VMX)).revert("s3", deadline=Deadline(60, run.clock))
    assert done is PowerState.OFF
    assert [call[3] for call in run.calls if call[3] not in ("list", "listSnapshots")] == ["stop", "revertToSnapshot"]


def test_a_machine_that_does_not_run_is_not_stopped() -> None:
    run = FakeRun().on(*LIST, says=TREE).on(*cmd("list"), says=NONE).on(*cmd("revertToSnapshot", VMX, "s1"))
    assert windows(run).snapshots(Path(VMX)).revert("s1", deadline=Deadline(60, run.clock)) is PowerState.OFF


def test_revert_reports_what_the_next_start_will_do(tmp_path: Path) -> None:
    """After a revert to a snapshot with memory the VMX names that.

    A revert that starts the VM is only described in documents.
    """
    vmx = tmp_path / "a.vmx"

    def reverted(now: str, text: str) -> PowerState:
        state = {"list": "Total running VMs: 0\n"}
        run = FakeRun().on("v", "-T", "ws", "listSnapshots", str(vmx), "showTree", says=tree("s"))
        run.on("v", "-T", "ws", "list", says=lambda: state["list"])

        def revert() -> None:
            vmx.write_text(text, encoding="utf-8")
            state["list"] = now

        run.on("v", "-T", "ws", "revertToSnapshot", str(vmx), "s", then=revert)
        return Vmrun(("v",), run=run).snapshots(vmx).revert("s", deadline=Deadline(60, run.clock))

    memory = 'checkpoint.vmState = "a-Snapshot1.vmsn"\n'
    assert reverted("Total running VMs: 0\n", memory) is PowerState.SUSPENDED
    assert reverted("Total running VMs: 0\n", "") is PowerState.OFF
    assert reverted(f"Total running VMs: 1\n{vmx}\n", memory) is PowerState.RUNNING


def test_a_revert_that_is_refused() -> None:
    run = FakeRun().on(*LIST, says=TREE).on(*cmd("list"), says=NONE)
    run.on(EXE, "-T", "ws", "revertToSnapshot", VMX, "s1", says=(b"Error: The file is already in use\r\n", MINUS_ONE))
    with pytest.raises(errors.VmBusy):
        windows(run).snapshots(Path(VMX)).revert("s1", deadline=Deadline(60, run.clock))
