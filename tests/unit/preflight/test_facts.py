"""A fact has a value or the problem why there is none."""

from __future__ import annotations

import pytest

from harness.preflight.facts import observe


@pytest.mark.parametrize(
    ("error", "missing", "text"),
    [
        (FileNotFoundError(2, "No such file", "/x"), True, "/x does not exist"),
        (PermissionError(13, "Permission denied", "/x"), False, "/x: Permission denied"),
        (ValueError("text"), False, "text"),
        (ZeroDivisionError("y"), False, "ZeroDivisionError: y"),
    ],
)
def test_any_exception_becomes_a_problem(error: Exception, missing: bool, text: str) -> None:
    def look_there() -> int:
        raise error

    fact = observe(look_there)
    assert (fact.value, fact.missing, fact.problem) == (None, missing, text)
