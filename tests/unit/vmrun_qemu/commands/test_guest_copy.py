"""Copies between host and guest, in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_shell_guest import FLAGS, FakeShellGuest, machine

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.commands import guest_copy


def test_a_file_goes_and_comes_in_pieces(tmp_path: Path) -> None:
    guest = FakeShellGuest()
    data = bytes(range(256)) * 9000
    (tmp_path / "source").write_bytes(data)
    with machine(guest) as vmx:
        guest_copy.to_guest([vmx, str(tmp_path / "source"), "/x"], FLAGS)
        assert guest.file == data
        guest_copy.to_host([vmx, "/x", str(tmp_path / "back")], FLAGS)
    assert (tmp_path / "back").read_bytes() == data
    assert guest.commands[0]["arg"][4] == "tools"


def test_a_guest_that_is_full_fails_the_copy(tmp_path: Path) -> None:
    guest = FakeShellGuest()
    guest.room = 10
    (tmp_path / "source").write_bytes(bytes(100))
    with machine(guest) as vmx, pytest.raises(Failure, match="A file access error occurred"):
        guest_copy.to_guest([vmx, str(tmp_path / "source"), "/x"], FLAGS)


def test_a_copy_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    class Breaks(FakeShellGuest):
        def __call__(self, question: dict[str, Any]) -> bytes:
            if question["execute"] == "guest-file-read":
                return b'{"error": {"desc": "Input/output error"}}\n'
            return super().__call__(question)

    target = tmp_path / "back"
    target.write_text("old", encoding="utf-8")
    with machine(Breaks()) as vmx, pytest.raises(Failure):
        guest_copy.to_host([vmx, "/x", str(target)], FLAGS)
    assert target.read_text(encoding="utf-8") == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"back", "home"}
