from __future__ import annotations

import pytest

from harness.vmrun.parse_guest import GuestProcess, parse_directory, parse_exists, parse_processes


def test_a_command_of_several_lines_is_one_process() -> None:
    text = "Process list: 2\npid=1, owner=root, cmd=/sbin/init\npid=2, owner=a, b, cmd=sh -c 'id\nls'\n"
    assert parse_processes(text) == (GuestProcess(1, "root", "/sbin/init"), GuestProcess(2, "a, b", "sh -c 'id\nls'"))


@pytest.mark.parametrize("text", ["", "Process list: 1\n", "Process list: 0\npid=1, owner=root, cmd=init\n"])
def test_the_number_of_processes_has_to_fit(text: str) -> None:
    with pytest.raises(ValueError, match="Process list"):
        parse_processes(text)


def test_fewer_names_than_the_number_are_refused() -> None:
    assert parse_directory("Directory list: 2\na\nb c\n") == ("a", "b c")
    assert parse_directory("Directory list\n") == ()
    with pytest.raises(ValueError, match="but 1 names"):
        parse_directory("Directory list: 2\na\n")
    for text in ("", "Error: x\n"):
        with pytest.raises(ValueError, match="no line above"):
            parse_directory(text)


@pytest.mark.parametrize(
    ("text", "exists"),
    [
        ("The file exists.\n", True),
        ("The directory does not exist.\n", False),
        ("note\nThe file does not exist\n", False),
    ],
)
def test_existence_is_read_from_the_text(text: str, exists: bool) -> None:
    assert parse_exists(text) is exists
    with pytest.raises(ValueError, match="neither"):
        parse_exists("The file may exist.\n")
