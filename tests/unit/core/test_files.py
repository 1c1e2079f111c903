from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_clock import FakeClock

from harness.core.files import host_error_from, read_end, retry_on_sharing_violation
from harness.vmware.vmx import Vmx, VmxError


class FakeFile:
    """A file that another program has open for so many attempts."""

    def __init__(self, busy: int, error: OSError) -> None:
        self.busy = busy
        self.error = error
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.attempts <= self.busy:
            raise self.error
        return "text"


HELD = PermissionError(13, "in use")


def test_on_windows_a_file_in_use_is_tried_again() -> None:
    file = FakeFile(3, HELD)
    assert retry_on_sharing_violation(file, platform="win32", clock=FakeClock()) == "text"
    assert file.attempts == 4


def test_patience_has_an_end() -> None:
    clock = FakeClock()
    with pytest.raises(PermissionError):
        retry_on_sharing_violation(FakeFile(10_000, HELD), platform="win32", clock=clock)
    assert 101 <= clock.now < 101.1


@pytest.mark.parametrize(("error", "platform"), [(HELD, "linux"), (FileNotFoundError(2, "none"), "win32")])
def test_an_error_that_time_does_not_resolve_is_raised_at_once(error: OSError, platform: str) -> None:
    file = FakeFile(1, error)
    with pytest.raises(type(error)):
        retry_on_sharing_violation(file, platform=platform, clock=FakeClock())
    assert file.attempts == 1


def test_an_error_of_a_file_has_its_place_and_a_remedy(tmp_path: Path) -> None:
    held = host_error_from(PermissionError(13, "Access is denied", "a.vmx.tmp", 5, "a.vmx"))
    gone = host_error_from(FileNotFoundError(2, "No such file", str(tmp_path)))
    full = host_error_from(OSError(28, "No space left on device", "a"))
    odd = host_error_from(OSError(5, "Input/output error", "a"))
    assert held is not None
    assert held.where == "a.vmx"
    assert "close what holds it" in held.remedy
    assert gone is not None
    assert str(tmp_path) in str(gone)
    assert [error.remedy.split(" ")[0] for error in (gone, full, odd) if error] == ["something", "make", "look"]


def test_a_vmx_that_is_read_and_malformed_says_which(tmp_path: Path) -> None:
    (tmp_path / "a.vmx").write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(VmxError) as caught:
        Vmx.read(tmp_path / "a.vmx")
    error = host_error_from(caught.value)
    assert error is not None
    assert str(error).startswith(f"{tmp_path / 'a.vmx'}: the file cannot be used: line 1: ")


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), VmxError("x"), SyntaxError("x"), KeyError()])
def test_any_other_error_is_none(error: Exception) -> None:
    assert host_error_from(error) is None


def test_of_a_file_of_gigabytes_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "vmware.log"
    log.write_bytes(b"short")
    assert read_end(log, 100) == b"short"
    os.truncate(log, 8 << 30)
    with log.open("ab") as stream:
        stream.write(b"the end")
    assert read_end(log, 10) == b"\0\0\0the end"
