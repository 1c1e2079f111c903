from __future__ import annotations

from pathlib import Path

import pytest

from harness.vmrun.replaced_file import set_aside


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_a_new_file_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_text("old")
    with set_aside(target):
        assert not target.exists()
        target.write_text("new")
    assert target.read_text() == "new"
    assert names(tmp_path) == ["a.png"]


def test_the_old_file_is_back_if_no_new_one_is_written(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), set_aside(target):
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.png"]


def test_there_need_not_be_an_old_file(tmp_path: Path) -> None:
    with set_aside(tmp_path / "a.png"):
        pass
    assert names(tmp_path) == []
    with set_aside(tmp_path / "a.png"):
        (tmp_path / "a.png").touch()
    assert names(tmp_path) == ["a.png"]
