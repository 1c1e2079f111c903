"""Answers of pods and nodes."""

from __future__ import annotations

from harness.cluster.checks import POD_NETWORK
from harness.cluster.replies import Reply, judge_replies
from harness.core.verdict import Status

GOOD = Reply("m", "pod on w", "run-1 w", "run-1 w", answered=True)
OTHER = Reply("m", "pod on w", "run-1 w", "run-1 x", answered=True)
ERROR = Reply("w", "pod on m", "run-1 m", "TimeoutError: timed out", answered=False)


def test_an_answer_is_right_as_a_whole_or_by_its_beginning() -> None:
    assert GOOD.right
    assert not OTHER.right
    assert not Reply("m", "x", "TimeoutError", "TimeoutError", answered=False).right, "an error is no answer"
    assert not Reply("m", "x", "run-1 w", "run-1 w and more", answered=True).right
    assert Reply("m", "service", "run-1", "run-1 w", answered=True, prefix=True).right
    assert not Reply("m", "service", "run-1", "It works!", answered=True, prefix=True).right


def test_one_wrong_answer_fails_and_is_named() -> None:
    check = judge_replies(POD_NETWORK, [GOOD, ERROR, OTHER], {}, "look")
    assert check.status is Status.FAIL
    assert check.seen == "2 of 3 wrong: w -> pod on m: TimeoutError: timed out; m -> pod on w: run-1 x"


def test_nodes_that_could_not_ask_leave_it_unproven() -> None:
    assert judge_replies(POD_NETWORK, [GOOD], {}, "").status is Status.PASS
    check = judge_replies(POD_NETWORK, [GOOD], {"w": "no pod"}, "")
    assert (check.status, check.seen) == (Status.NOT_PROVEN, "w: no pod")
    assert judge_replies(POD_NETWORK, [], {}, "").status is Status.NOT_PROVEN
    assert judge_replies(POD_NETWORK, [ERROR], {"x": "no pod"}, "").status is Status.FAIL


def test_many_wrong_answers_are_counted() -> None:
    assert judge_replies(POD_NETWORK, [ERROR] * 9, {}, "").seen.endswith("; and 1 more")
