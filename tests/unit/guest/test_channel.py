"""How commands and their output are shown in errors."""

from __future__ import annotations

from harness.guest.channel import SHOWN_CHARACTERS, CommandTimeout, brief, output_tail

PEM = "-----BEGIN OPENSSH PRIVATE KEY-----AAAA-----END OPENSSH PRIVATE KEY-----"


def test_a_command_is_shown_in_one_short_line_without_secrets() -> None:
    assert brief("  uname -a\n") == "uname -a"
    assert brief("first\nsecond") == "first …"
    assert brief("x" * 200) == "x" * 120 + " …"
    assert brief("") == ""
    assert "AAAA" not in brief(f"echo '{PEM}'")


def test_the_end_of_the_output_is_shown_with_the_streams_named_where_there_are_two() -> None:
    assert output_tail("a\n", "") == "a"
    assert output_tail("", "b\n") == "b"
    assert output_tail("a\n", "b\n") == "[stdout] a\n[stderr] b"
    assert output_tail(" \n", "") == ""
    assert output_tail("y" * 9000 + "end", "") == ("y" * 9000 + "end")[-SHOWN_CHARACTERS:]


def test_a_timeout_shows_its_length_and_the_output() -> None:
    error = CommandTimeout("cloud-init status --wait", where="node1", timeout_s=2.5)
    assert str(error).startswith("node1: `cloud-init status --wait` did not end within 2.5 s\n")
    assert "(no output)" in str(error)
