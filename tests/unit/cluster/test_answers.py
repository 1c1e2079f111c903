"""Answers of kubectl: a whole list, or the reason why there is none."""

from __future__ import annotations

import json

import pytest
from cluster_samples import NODES

from harness.cluster.answers import NoAnswerError, conditions, items_of, mapping, number, of_kind, rows, text

WHOLE = json.dumps(NODES)
REFUSED = "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?"


def test_the_objects_of_a_list_are_returned() -> None:
    items = items_of(WHOLE, "")
    assert len(of_kind(items, "Node")) == 3
    assert of_kind(items, "Pod") == ()


@pytest.mark.parametrize(
    ("stdout", "stderr", "status", "why"),
    [
        (
            "",
            "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
            1,
            "refused",
        ),
        ("", "Error from server (ServiceUnavailable): apiserver not ready", 1, "not ready"),
        ("", "sh: 1: /usr/local/bin/k3s: not found", 127, "not found"),
        ("", "Unable to connect to the server: x509: certificate has expired or is not yet valid", 1, "x509"),
        ("", "", 1, "kubectl ended with exit status 1"),
        ("", "", 0, "no output"),
        (WHOLE[:9000], "", 0, "the answer is cut off after 9000 characters"),
        ("No resources found", "", 0, "No resources found"),
        ("[]", "", 0, "no list of objects"),
        ("{}", "", 0, "no list of objects"),
        ('{"items": null}', "", 0, "no list of objects"),
        ('{"items": [3]}', "", 0, "no list of objects"),
        (WHOLE, "error: the server does not have a resource type", 1, "resource type"),
    ],
)
def test_anything_else_is_no_answer_and_says_why(stdout: str, stderr: str, status: int, why: str) -> None:
    with pytest.raises(NoAnswerError, match=r".") as caught:
        items_of(stdout, stderr, exit_status=status)
    assert why in str(caught.value)


@pytest.mark.parametrize("odd", [None, 3, "x", [], {}, {"spec": None}, {"spec": {"a": ["b"]}}])
def test_a_place_that_is_not_there_is_empty(odd: object) -> None:
    item = {"status": odd}
    assert text(item, "status", "spec", "a", "b") == ""
    assert number(item, "status", "spec") == 0
    assert rows(item, "status", "spec", "a") == ()
    assert mapping(item, "status", "spec", "x") == {}
    assert conditions(item) == {}
