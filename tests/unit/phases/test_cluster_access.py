"""Asking the nodes of a cluster: what does not answer is a reason, never an answer."""

from __future__ import annotations

import pytest

from harness.cluster import checks
from harness.cluster.answers import NoAnswerError
from harness.cluster.watch import Watch
from harness.core.verdict import Check, Phase, Status
from harness.guest.channel import CommandResult
from harness.machine.context import RunContext
from harness.phases.cluster_access import Access, problems

from .fake_k3s import FakeK3s


@pytest.fixture
def k3s(context: RunContext) -> FakeK3s:
    return FakeK3s(context)


def access_of(k3s: FakeK3s, seconds: float = 60) -> Access:
    machines = tuple(k3s.machines())
    return Access(machines[0], machines, machines[0].deadline(seconds, "cluster"))


def test_each_machine_answers_or_says_why_not(k3s: FakeK3s) -> None:
    access = access_of(k3s)

    def ask(machine: object) -> bytes:
        if machine is access.machines[1]:
            raise NoAnswerError("no connection")
        return b"text"

    found = access.each(ask)
    assert list(found.values()) == [b"text", "no connection", b"text"]
    assert problems(found) == {"k3s-worker1": "no connection"}


def test_a_command_that_does_not_end_is_no_answer(k3s: FakeK3s) -> None:
    k3s.answers["date"] = (-1, "")
    access = access_of(k3s)
    with pytest.raises(NoAnswerError, match=r"k3s-master1: .*did not end"):
        access.run(access.master, "date")


def test_a_silent_master_is_a_problem_of_the_api(k3s: FakeK3s) -> None:
    k3s.answers["systemctl show"] = (-1, "")
    look = access_of(k3s).look()
    assert look.nodes is None
    assert "did not end" in look.problem
    assert {"did not end" in units.problem for units in look.units.values()} == {True}


def test_a_list_of_a_kubectl_that_failed_is_no_answer(k3s: FakeK3s) -> None:
    access = access_of(k3s)
    access.master.ssh.run = lambda command, *_, **__: CommandResult(command, 1, '{"items": []}', "", 0.1)  # type: ignore[method-assign]
    with pytest.raises(NoAnswerError):
        access.get("nodes")


def test_what_is_well_at_the_deadline_may_hold_beyond_it(k3s: FakeK3s) -> None:
    access = access_of(k3s, 20)
    watch = Watch(access.known)
    access.watch(watch)
    assert watch.held
    assert access.deadline.expired


def test_what_is_not_well_ends_at_the_deadline(k3s: FakeK3s) -> None:
    k3s.nodes["k3s-worker1"]["spec"]["unschedulable"] = True
    access = access_of(k3s, 20)
    began = k3s.clock.now
    watch = Watch(access.known)
    access.watch(watch)
    assert not watch.held
    assert k3s.clock.now - began < 40


def answers(*statuses: Status) -> list[Check]:
    return [Check("x", status, "good", status.value) for status in statuses]


def test_a_wait_ends_with_the_first_good_answer(k3s: FakeK3s) -> None:
    given = answers(Status.FAIL, Status.NOT_PROVEN, Status.PASS)
    assert access_of(k3s).poll(lambda: given.pop(0), checks.IMAGES).status is Status.PASS


def test_the_last_bad_answer_names_the_deadline(k3s: FakeK3s) -> None:
    check = access_of(k3s, 20).poll(lambda: answers(Status.FAIL)[0], checks.IMAGES)
    assert (check.status, check.why) == (Status.FAIL, "not within 20 s: fail")
    assert set(k3s.states) == {("x: fail", Phase.CLUSTER)}


def test_no_answer_at_the_deadline_proves_nothing(k3s: FakeK3s) -> None:
    def silent() -> Check:
        raise NoAnswerError("refused")

    check = access_of(k3s, 20).poll(silent, checks.IMAGES)
    assert (check.name, check.status, check.seen) == (checks.IMAGES.name, Status.NOT_PROVEN, "no answer: refused")


def test_a_deadline_that_is_over_still_leaves_one_look(k3s: FakeK3s) -> None:
    access = access_of(k3s, 1)
    k3s.clock.sleep(5)
    assert access.poll(lambda: answers(Status.PASS)[0], checks.IMAGES).status is Status.PASS
