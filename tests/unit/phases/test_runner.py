"""What an exception makes of the check that it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.core.verdict import Check, Status
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
