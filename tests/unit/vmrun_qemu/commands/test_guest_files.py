"""Files and directories of the guest: VMware's messages, and lists."""

from __future__ import annotations

import pytest
from fake_shell_guest import FLAGS, FakeShellGuest, machine

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import guest_copy, guest_files


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (102, "A file was not found"),
        (103, "The file already exists"),
        (104, "The object is not a file"),
        (105, "The object is not a directory"),
        (106, "Authentication failure or insufficient permissions in guest operating system"),
        (1, "A file access error occurred on the host or guest operating system"),
    ],
)
def test_a_file_verb_that_failed_says_why(status: int, text: str) -> None:
    with machine(FakeShellGuest(b"+", status)) as vmx, pytest.raises(Failure) as caught:
        guest_files.delete_file([vmx, "/x"], FLAGS)
    assert caught.value.text == text


def test_a_relative_guest_path_is_found_nowhere_and_not_asked_for() -> None:
    guest = FakeShellGuest()
    with machine(guest) as vmx:
        for verb, words in (
            (guest_files.delete_file, ["x"]),
            (guest_files.list_directory, ["."]),
            (guest_copy.to_host, ["x", "y"]),
        ):
            with pytest.raises(Failure, match="A file was not found"):
                verb([vmx, *words], FLAGS)
    assert guest.commands == []


def test_names_are_listed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with machine(FakeShellGuest("+b\0a b\0ü\0".encode())) as vmx:
        guest_files.list_directory([vmx, "/x"], FLAGS)
    assert capsys.readouterr().out == "Directory list: 3\na b\nb\nü\n"


def test_an_empty_directory_is_a_list_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    with machine(FakeShellGuest()) as vmx:
        guest_files.list_directory([vmx, "/x"], FLAGS)
    assert capsys.readouterr().out == "Directory list: 0\n"
