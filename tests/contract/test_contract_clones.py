"""Clones: full and linked, and what keeps a linked clone whole."""

from __future__ import annotations

import re

from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Bench, Vm
from vmrun_contract.states import ALREADY_RUNNING, started

UNCHANGED = "The state of the virtual machine has not changed since the last snapshot operation"


def with_snapshot(bench: Bench) -> Vm:
    vm = bench.machine("one")
    bench("snapshot", vm, "base").silent()
    return vm


@behaviour("clone", "a full clone of a machine that is off: says nothing; it has the name given, and starts", "TP")
def test_a_full_clone(bench: Bench) -> None:
    vm, copy = bench.machine("one"), bench.vm("copy")
    bench("clone", vm, copy, "full", "-cloneName=A copy").silent()
    assert bench.look("setting", copy, "displayName") == "A copy"
    bench("start", copy, "nogui").silent()
    assert bench.listed() == ["copy"]


@behaviour("clone", "a linked clone of a snapshot: says nothing, and starts", "TP")
def test_a_linked_clone(bench: Bench) -> None:
    vm, copy = with_snapshot(bench), bench.vm("copy")
    bench("clone", vm, copy, "linked", "-snapshot=base").silent()
    bench("start", copy, "nogui").silent()
    assert bench.listed() == ["copy"]


@behaviour("clone", "a linked clone of a snapshot taken while it was off works while the source runs", "T")
def test_a_linked_clone_of_a_running_machine(bench: Bench) -> None:
    vm, copy = with_snapshot(bench), bench.vm("copy")
    bench("start", vm, "nogui").silent()
    bench("clone", vm, copy, "linked", "-snapshot=base").silent()
    bench("start", copy, "nogui").silent()
    assert bench.listed() == ["copy", "one"]


@behaviour("clone", "a full clone of the current state needs the source off", "TI", settles="clone-running")
def test_a_full_clone_of_a_running_machine_fails(bench: Bench) -> None:
    vm, copy = started(bench), bench.vm("copy")
    answer = bench("clone", vm, copy, "full")
    answer.fails()
    bench.settle("clone-running", answer.error)
    assert not bench.look("exists", copy)
    assert bench.listed() == ["one"]


@behaviour("clone", "`-snapshot=` with an unknown name: `Error: Invalid snapshot name 'nope'` and an empty line", "T")
def test_a_clone_of_a_snapshot_that_is_not_there(bench: Bench) -> None:
    vm, copy = with_snapshot(bench), bench.vm("copy")
    bench("clone", vm, copy, "linked", "-snapshot=nope").fails("Invalid snapshot name 'nope'")
    assert not bench.look("exists", copy)


@behaviour("clone", "`-snapshot NAME` as two words works, or fails", "P", settles="clone-snapshot-space")
def test_the_name_of_the_snapshot_as_a_word_of_its_own(bench: Bench) -> None:
    vm, copy = with_snapshot(bench), bench.vm("copy")
    answer = bench("clone", vm, copy, "linked", "-snapshot", "base")
    bench.settle("clone-snapshot-space", "no" if answer.failed else "yes")
    if not answer.failed:
        answer.silent()
    assert bench.look("exists", copy) is not answer.failed


@behaviour(
    "clone",
    "from a snapshot with memory: works, or the state of the machine `has not changed …`",
    "TP",
    settles="clone-memory-snapshot",
)
def test_a_clone_of_a_snapshot_with_memory(bench: Bench) -> None:
    vm, copy = started(bench), bench.vm("copy")
    bench("snapshot", vm, "live").silent()
    bench("stop", vm, "hard").silent()
    answer = bench("clone", vm, copy, "linked", "-snapshot=live")
    bench.settle("clone-memory-snapshot", "no" if answer.failed else "yes")
    if answer.failed:
        answer.fails(UNCHANGED, ALREADY_RUNNING, "The virtual machine is not powered off")
    else:
        bench("start", copy, "nogui").silent()


@behaviour("clone", "the directory of the clone may be there already, empty", "P")
def test_a_clone_into_an_empty_directory(bench: Bench) -> None:
    vm, copy = bench.machine("one"), bench.vm("copy")
    bench.folder(bench.path("copy"))
    bench("clone", vm, copy, "full").silent()
    assert bench.look("exists", copy)


@behaviour("clone", "a clone has a MAC address and a UUID of its own", "P")
def test_a_clone_is_another_machine(bench: Bench) -> None:
    vm, copy = started(bench), bench.vm("copy")
    bench("stop", vm, "hard").silent()
    bench("clone", vm, copy, "full").silent()
    bench("start", copy, "nogui").silent()
    for key, form in (
        ("ethernet0.generatedAddress", r"00:0c:29(:[0-9a-f]{2}){3}"),
        ("uuid.bios", r"[0-9a-f]{2}([ -][0-9a-f]{2}){15}"),
    ):
        found = [bench.look("setting", machine, key).lower() for machine in (copy, vm)]
        assert all(re.fullmatch(form, value) for value in found), found
        assert found[0] != found[1]


@behaviour(
    "clone deleteSnapshot",
    "a snapshot that a linked clone needs is kept, or its deletion breaks the clone",
    "P",
    settles="delete-cloned-snapshot",
)
def test_the_snapshot_of_a_linked_clone(bench: Bench) -> None:
    vm, copy = with_snapshot(bench), bench.vm("copy")
    bench("clone", vm, copy, "linked", "-snapshot=base").silent()
    answer = bench("deleteSnapshot", vm, "base")
    bench.settle("delete-cloned-snapshot", "refused" if answer.failed else "deleted")
    bench("listSnapshots", vm).says(*(["Total snapshots: 1", "base"] if answer.failed else ["Total snapshots: 0"]))
    if answer.failed:
        answer.fails()
        bench("start", copy, "nogui").silent()


@behaviour(
    "clone deleteVM",
    "the parent of a linked clone is kept, or its deletion breaks the clone",
    "P",
    settles="delete-cloned-parent",
)
def test_the_parent_of_a_linked_clone(bench: Bench) -> None:
    vm, copy = with_snapshot(bench), bench.vm("copy")
    bench("clone", vm, copy, "linked", "-snapshot=base").silent()
    answer = bench("deleteVM", vm)
    bench.settle("delete-cloned-parent", "refused" if answer.failed else "deleted")
    assert bench.look("exists", vm) is answer.failed
    if answer.failed:
        answer.fails()
        bench("start", copy, "nogui").silent()


@behaviour("clone", "a linked clone is written down in the parent's `.vmsd`", "P")
def test_a_linked_clone_is_known_to_its_parent(bench: Bench) -> None:
    vm, copy = with_snapshot(bench), bench.vm("copy")
    bench("clone", vm, copy, "linked", "-snapshot=base").silent()
    file = bench.path("one", "one.vmsd")
    assert bench.look("setting", file, "snapshot0.numClones") == "1"
    assert bench.look("setting", file, "snapshot0.clone0") == copy
