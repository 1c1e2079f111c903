"""The tree in a `.vmsd`: read, changed, written; names and paths."""

from __future__ import annotations

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.vmfiles import vmsd
from harness.vmrun_qemu.vmfiles.vmsd import Snapshot, Tree
from harness.vmware.vmx import Vmx

# As Workstation writes it, with keys that only it knows.
WRITTEN = """\
.encoding = "UTF-8"
snapshot.lastUID = "3"
snapshot.current = "3"
snapshot0.uid = "1"
snapshot0.filename = "vm-Snapshot1.vmsn"
snapshot0.displayName = "s1"
snapshot0.description = "the first|0Aof all"
snapshot0.createTimeHigh = "378000"
snapshot0.createTimeLow = "-5"
snapshot0.numDisks = "1"
snapshot0.disk0.fileName = "vm.vmdk"
snapshot0.disk0.node = "scsi0:0"
snapshot0.numClones = "1"
snapshot0.clone0 = "/vms/clone/clone.vmx"
snapshot1.uid = "3"
snapshot1.filename = "vm-Snapshot3.vmsn"
snapshot1.parent = "1"
snapshot1.displayName = "s2 with space"
snapshot1.type = "1"
snapshot1.createTimeHigh = "378001"
snapshot1.createTimeLow = "7"
snapshot1.numDisks = "0"
snapshot.numSnapshots = "2"
snapshot.mru0.uid = "3"
"""


def snapshot(uid: int, parent: int, name: str) -> Snapshot:
    return Snapshot(uid, parent, name, f"vm-Snapshot{uid}.vmsn", memory=False, created_us=uid, disks=())


#   a - b - a
#     \ - B        c
TREE = Tree(
    (snapshot(1, 0, "a"), snapshot(2, 1, "b"), snapshot(3, 2, "a"), snapshot(4, 1, "B"), snapshot(5, 0, "c")), 3, 5
)


def test_what_workstation_wrote_is_read_and_kept() -> None:
    vmx = Vmx.parse(WRITTEN)
    tree = vmsd.tree_of(vmx)
    first, second = tree.snapshots
    assert (tree.current, tree.last_uid, tree.needs_consolidation) == (3, 3, False)
    assert (first.disks, first.clones) == ((("scsi0:0", "vm.vmdk"),), ("/vms/clone/clone.vmx",))
    assert first.created_us == (378000 << 32) + 0xFFFFFFFB
    assert (second.parent, second.memory, second.name) == (1, True, "s2 with space")
    vmsd.store(tree, vmx)
    assert vmsd.tree_of(Vmx.parse(vmx.text())) == tree
    for key in ("snapshot0.description", "snapshot.mru0.uid", "snapshot0.createTimeLow", "snapshot1.type"):
        assert vmx.get(key) == Vmx.parse(WRITTEN).get(key)


@pytest.mark.parametrize("text", ["", 'snapshot.current = "x"\nsnapshot0.displayName = "no number"\n'])
def test_without_snapshots_the_tree_is_empty(text: str) -> None:
    assert vmsd.tree_of(Vmx.parse(text)) == Tree()


@pytest.mark.parametrize(
    ("name", "uid"), [("b", 2), ("B", 4), ("c", 5), ("C", 5), ("a/b/a", 3), ("b/a", 3), ("a\\B", 4), ("/a/b", 2)]
)
def test_a_name_is_a_path_and_case_decides_between_two(name: str, uid: int) -> None:
    assert TREE.named(name).uid == uid


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", "The name does not uniquely identify one snapshot"),
        ("A", "The name does not uniquely identify one snapshot"),
        ("d", "The snapshot does not exist"),
        ("c/a", "The snapshot does not exist"),
        ("", "The snapshot does not exist"),
        ("/", "The snapshot does not exist"),
    ],
)
def test_a_name_that_leads_to_none_or_to_several(name: str, text: str) -> None:
    with pytest.raises(Failure) as caught:
        TREE.named(name)
    assert caught.value.text == text


def test_the_outline_has_parents_first() -> None:
    assert TREE.outline() == [(0, "a"), (1, "b"), (2, "a"), (1, "B"), (0, "c")]
    lost = Tree((snapshot(7, 6, "its parent is not there"),))
    assert lost.outline() == [(0, "its parent is not there")]


def test_children_and_the_present_go_back_to_the_next_that_is_left() -> None:
    left = TREE.without({2})
    assert [(s.uid, s.parent) for s in left.snapshots] == [(1, 0), (3, 1), (4, 1), (5, 0)]
    assert left.current == 3
    assert TREE.without({1, 2}).outline() == [(0, "a"), (0, "B"), (0, "c")]
    assert TREE.without({2, 3}).current == 1
    assert TREE.without(TREE.below(1)) == Tree((snapshot(5, 0, "c"),), 0, 5)
    assert TREE.below(2) == {2, 3}


@pytest.mark.parametrize("name", ["c", "C", "", "x/y", "x\\y"])
def test_a_name_that_no_snapshot_can_get(name: str) -> None:
    with pytest.raises(Failure):
        TREE.check_new(name)
    TREE.check_new("new")


def test_parents_that_run_in_a_circle_end() -> None:
    circle = Tree((snapshot(1, 2, "x"), snapshot(2, 1, "y")), 1)
    assert [s.uid for s in circle.line(1)] == [1, 2]
    assert circle.below(1) == {1, 2}


def test_a_name_that_is_free() -> None:
    assert TREE.free_name("for x/y") == "for x y"
    assert TREE.free_name("C") == "C 2"
