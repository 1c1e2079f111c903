"""Errors as text, and steps that never raise."""

from __future__ import annotations

import pytest

from harness.core.best_effort import error_text, run_and_collect_error
from harness.core.errors import HostError
from harness.core.secret import Secret


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HostError("no room\nleft", where="/vms", remedy="make room", detail="ENOSPC"), "/vms: no room left"),
        (HostError("no room", remedy=""), "no room"),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (TimeoutError("timed out"), "timed out"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("line 1: no key"), "line 1: no key"),
        (ValueError(), "ValueError"),
        (KeyError("x"), "KeyError: 'x'"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_an_error_is_one_line_that_says_where_and_what(error: Exception, text: str) -> None:
    assert error_text(error) == text


def test_a_secret_is_masked() -> None:
    secret = Secret("hunter2-in-an-error")
    assert "hunter2" not in error_text(ValueError(f"cannot log in with {secret.reveal()}"))


def test_a_step_that_works_collects_nothing() -> None:
    done: list[int] = []
    assert run_and_collect_error("the step", lambda: done.append(1)) == ()
    assert done == [1]


def test_an_error_of_ours_keeps_its_remedy_and_any_other_one_is_a_line() -> None:
    def fail(error: Exception) -> None:
        raise error

    (text,) = run_and_collect_error("the ledger", lambda: fail(HostError("no room", remedy="make room")))
    assert text == "the ledger: no room\n  remedy:   make room"
    assert run_and_collect_error("the ledger", lambda: fail(KeyError("x"))) == ("the ledger: KeyError: 'x'",)
