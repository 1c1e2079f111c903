"""Errors: where, what, output, evidence and remedy, without a secret."""

from __future__ import annotations

import pytest

from harness.core.errors import (
    ConfigError,
    DeadlineExpired,
    GuestError,
    HarnessError,
    HostError,
    LabBusyError,
    ProcessError,
    SeedError,
    UsageError,
    VmrunError,
)
from harness.core.secret import Secret


def test_an_error_is_printed_with_everything_that_is_known() -> None:
    error = HostError(
        "cannot start",
        where="m.vmx",
        detail="in use\nby another",
        evidence=("vmware.log", "x"),
        remedy="close it\nretry",
    )
    assert str(error).splitlines() == [
        "m.vmx: cannot start",
        "  detail:   in use",
        "            by another",
        "  evidence: vmware.log",
        "  evidence: x",
        "  remedy:   close it",
        "            retry",
    ]


def test_what_is_not_known_leaves_no_line() -> None:
    assert str(HostError("no room", remedy="")) == "no room"


def test_no_text_of_an_error_has_a_secret() -> None:
    word = Secret("s3cret-in-error").reveal()
    error = HarnessError(word, where=word, detail=word, remedy=word)
    assert word not in str(error) + error.what + error.where + error.detail + error.remedy


def test_a_condition_stands_before_the_first_line() -> None:
    assert str(HostError("no answer", remedy="").because("the VM is paused")) == "the VM is paused: no answer"
    assert str(HostError("no answer", remedy="").because("")) == "no answer"


def test_an_expired_deadline_shows_the_last_thing_seen() -> None:
    error = DeadlineExpired("an SSH login: not within 3 s", remedy="", last_seen="boot", where="m")
    assert (error.last_seen, error.detail) == ("boot", "last seen: boot")


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (ConfigError, UsageError),
        (SeedError, UsageError),
        (LabBusyError, UsageError),
        (ProcessError, HostError),
        (VmrunError, HostError),
        (UsageError, HarnessError),
        (HostError, HarnessError),
        (GuestError, HarnessError),
        (DeadlineExpired, HarnessError),
    ],
)
def test_the_tree_of_the_docstring(kind: type[HarnessError], base: type[HarnessError]) -> None:
    assert kind.__bases__ == (base,)
