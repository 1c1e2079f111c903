"""What an exception makes of the check that it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import DeadlineExpired, GuestError, HostError
from harness.core.verdict import Check, Status
from harness.guest.channel import ChannelLost, CommandTimeout, ConnectFailed, OutputTooLarge
from harness.phases import creation
from harness.phases.runner import collect
from harness.vmware.vmx import Vmx


def ended_by(error: Exception) -> Check:
    (check,) = collect([creation.VMX], lambda: ended(error))
    assert check.status is Status.ERROR
    return check


def test_a_file_that_another_program_holds_open_has_its_remedy_and_is_no_defect() -> None:
    check = ended_by(PermissionError(13, "Access is denied", "a.vmx.tmp", 5, "a.vmx"))
    assert check.seen == "a.vmx: the file cannot be used: Access is denied"
    assert "close what holds it" in check.remedy


@pytest.mark.parametrize(
    "error",
    [
        DeadlineExpired("an SSH login: not within 3 s", remedy="wait", last_seen="boot", evidence=["serial-1.log"]),
        CommandTimeout("sleep 9", where="w", timeout_s=3),
        ChannelLost("the connection ended", remedy=""),
        ConnectFailed("no answer", remedy=""),
        OutputTooLarge("too much", remedy=""),
    ],
)
def test_what_was_only_not_seen_fails_and_is_inconclusive(error: Exception) -> None:
    (check,) = collect([creation.VMX], lambda: ended(error))
    assert (check.status, check.inconclusive) == (Status.FAIL, True)
    if isinstance(error, DeadlineExpired):
        assert (check.why, check.evidence) == ("an SSH login: not within 3 s; last seen: boot", ("serial-1.log",))


@pytest.mark.parametrize(
    ("error", "status"),
    [(GuestError("kernel panic", remedy=""), Status.FAIL), (HostError("no memory", remedy=""), Status.ERROR)],
)
def test_what_was_seen_to_be_wrong_is_conclusive(error: Exception, status: Status) -> None:
    (check,) = collect([creation.VMX], lambda: ended(error))
    assert (check.status, check.inconclusive) == (status, False)


def test_a_defect_is_headed_by_its_exception() -> None:
    assert ended_by(KeyError("x")).why == "KeyError: 'x'"
    assert ended_by(AssertionError()).why == "AssertionError"
    assert ended_by(ValueError("first\nsecond")).why == "ValueError: first"
    assert ended_by(SyntaxError("no", ("a.py", 1, 1, "x"))).why == "SyntaxError: no (a.py, line 1)"


def test_a_broken_vmx_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.vmx").write_text("nonsense", encoding="utf-8")

    def steps() -> Iterator[Check]:
        Vmx.read(tmp_path / "a.vmx")
        yield from ()

    (check,) = collect([creation.VMX], steps)
    assert check.seen.startswith(f"{tmp_path / 'a.vmx'}: the file cannot be used: line 1")


def test_anything_else_is_a_defect() -> None:
    for error in (KeyError("x"), OSError(5, "a socket"), SyntaxError("x")):
        assert "defect of the harness" in ended_by(error).remedy


def test_an_exception_answers_the_first_check_that_is_open_and_later_ones_stay_open() -> None:
    def steps() -> Iterator[Check]:
        yield creation.DISK.judge(ok=True, seen="2 GiB")
        raise KeyError("x")

    disk, vmx = collect(creation.CHECKS, steps)
    assert (disk.status, disk.seen) == (Status.PASS, "2 GiB")
    assert (vmx.name, vmx.status, vmx.expected) == ("vmx", Status.ERROR, creation.VMX.expected)
    (alone,) = collect((), lambda: ended(KeyError("x")))
    assert (alone.name, alone.status) == ("harness", Status.ERROR)


def ended(error: Exception) -> Iterator[Check]:
    raise error
    yield
