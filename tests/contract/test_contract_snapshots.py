"""Snapshots: a tree of names, memory, and reverts."""

from __future__ import annotations

from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Bench, Vm
from vmrun_contract.states import started

MISSING = "The snapshot does not exist"


def with_tree(bench: Bench) -> Vm:
    """Return a machine, off, with three nested snapshots.

    They are first > second with blanks > third.
    """
    vm = bench.machine("one")
    for name in ("first", "second with blanks", "third"):
        bench("snapshot", vm, name).silent()
    return vm


@behaviour("listSnapshots snapshot", "`Total snapshots: N`, then the names", "T")
def test_snapshots_are_counted_and_listed(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("listSnapshots", vm).says("Total snapshots: 0")
    bench("snapshot", vm, "first").silent()
    bench("snapshot", vm, "second with blanks").silent()
    bench("listSnapshots", vm).says("Total snapshots: 2", "first", "second with blanks")


@behaviour("listSnapshots", "with `showTree` a child stands one tab deeper than its parent", "TP")
def test_the_tree_is_shown_with_tabs(bench: Bench) -> None:
    vm = with_tree(bench)
    bench("listSnapshots", vm, "showTree").says("Total snapshots: 3", "first", "\tsecond with blanks", "\t\tthird")
    bench("revertToSnapshot", vm, "first").silent()
    bench("snapshot", vm, "fourth").silent()
    answer = bench("listSnapshots", vm, "showtree")
    assert answer.code == 0
    lines = answer.lines
    assert sorted(lines) == sorted(["Total snapshots: 4", "first", "\tsecond with blanks", "\t\tthird", "\tfourth"])
    assert lines[1] == "first"


@behaviour("snapshot", "a second snapshot of the same name: `A snapshot with the name already exists`", "T")
def test_a_name_is_used_once(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("snapshot", vm, "first").silent()
    bench("snapshot", vm, "first").fails("A snapshot with the name already exists")
    bench("listSnapshots", vm).says("Total snapshots: 1", "first")


@behaviour("revertToSnapshot deleteSnapshot", "a name that is not there: `The snapshot does not exist`", "TP")
def test_a_snapshot_that_is_not_there(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("revertToSnapshot", vm, "nope").fails(MISSING)
    bench("deleteSnapshot", vm, "nope").fails(MISSING)


@behaviour("revertToSnapshot", "to a snapshot of a machine that was off: says nothing, it is off, and starts", "TP")
def test_a_revert_leaves_the_machine_off(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("snapshot", vm, "first").silent()
    bench("start", vm, "nogui").silent()
    bench("stop", vm, "hard").silent()
    bench("revertToSnapshot", vm, "first").silent()
    assert bench.listed() == []
    assert not bench.look("setting", vm, "checkpoint.vmState")
    bench("start", vm, "nogui").silent()
    assert bench.listed() == ["one"]


@behaviour(
    "snapshot revertToSnapshot",
    "to a snapshot with memory: not running; `checkpoint.vmState` leads to the memory, or it is off; it starts",
    "TP",
    settles="revert-memory",
)
def test_a_revert_to_a_snapshot_with_memory(bench: Bench) -> None:
    vm = started(bench)
    bench("snapshot", vm, "live").silent()
    assert bench.listed() == ["one"]
    bench("stop", vm, "hard").silent()
    bench("revertToSnapshot", vm, "live").silent()
    assert bench.listed() == []
    state = bench.look("setting", vm, "checkpoint.vmState") or ""
    bench.settle("revert-memory", "resumable" if state else "off")
    assert not state or state.lower().endswith((".vmsn", ".vmss")), state
    bench("start", vm, "nogui").silent()
    assert bench.listed() == ["one"]


@behaviour(
    "revertToSnapshot",
    "of a running machine: `The file is already in use`, or it reverts",
    "TP",
    settles="revert-running",
)
def test_a_revert_of_a_running_machine(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("snapshot", vm, "first").silent()
    bench("start", vm, "nogui").silent()
    answer = bench("revertToSnapshot", vm, "first")
    runs = bench.listed() == ["one"]
    bench.settle("revert-running", "refused" if answer.failed else "on" if runs else "off")
    if answer.failed:
        answer.fails(
            "The file is already in use", "The virtual machine should not be powered on. It is already running."
        )
        assert runs
    else:
        answer.silent()


@behaviour("deleteSnapshot", "deletes one snapshot, its children stay; with `andDeleteChildren` they go too", "D")
def test_a_snapshot_is_deleted_alone_or_with_its_children(bench: Bench) -> None:
    vm = with_tree(bench)
    bench("deleteSnapshot", vm, "second with blanks").silent()
    bench("listSnapshots", vm, "showTree").says("Total snapshots: 2", "first", "\tthird")
    bench("deleteSnapshot", vm, "first", "andDeleteChildren").silent()
    bench("listSnapshots", vm).says("Total snapshots: 0")
    bench("start", vm, "nogui").silent()


@behaviour("deleteSnapshot", "works while the machine runs", "I")
def test_a_snapshot_is_deleted_while_the_machine_runs(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("snapshot", vm, "first").silent()
    bench("start", vm, "nogui").silent()
    bench("deleteSnapshot", vm, "first").silent()
    bench("listSnapshots", vm).says("Total snapshots: 0")
    assert bench.listed() == ["one"]


@behaviour(
    "revertToSnapshot", "names of snapshots are compared without case, or with it", "PI", settles="snapshot-name-case"
)
def test_the_case_of_a_snapshots_name(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("snapshot", vm, "First").silent()
    answer = bench("revertToSnapshot", vm, "FIRST")
    bench.settle("snapshot-name-case", "with" if answer.failed else "without")
    if answer.failed:
        answer.fails(MISSING)
    else:
        answer.silent()


@behaviour("revertToSnapshot", "a name with `/` is a path through the tree", "D", settles="snapshot-name-slash")
def test_a_name_with_a_slash(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("snapshot", vm, "first").silent()
    bench("snapshot", vm, "second").silent()
    answer = bench("revertToSnapshot", vm, "first/second")
    bench.settle("snapshot-name-slash", "name" if answer.failed else "path")
    if answer.failed:
        answer.fails(MISSING)
    else:
        answer.silent()


@behaviour("snapshot", "the tree is kept in a `.vmsd` beside the VMX", "T")
def test_the_tree_is_kept_in_a_file(bench: Bench) -> None:
    vm = bench.machine("one")
    bench("snapshot", vm, "first").silent()
    file = bench.path("one", "one.vmsd")
    assert bench.look("setting", file, "snapshot0.displayName") == "first"
    assert bench.look("setting", file, "snapshot.numSnapshots") == "1"
