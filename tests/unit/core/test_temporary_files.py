"""New files in a directory that may refuse them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.temporary_files import check_writable, create_file, temporary_directory


def make_directory(directory: Path) -> None:
    with temporary_directory(directory, "a-"):
        pass


def make_file(directory: Path) -> None:
    handle, _ = create_file(directory, "a.")
    os.close(handle)


def test_a_file_is_new_and_private(tmp_path: Path) -> None:
    handle, path = create_file(tmp_path, "a.vmx.", ".tmp")
    os.write(handle, b"text\r\n")
    os.close(handle)
    assert re.fullmatch(r"a\.vmx\.\w+\.tmp", path.name)
    assert path.read_bytes() == b"text\r\n"
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600


def test_a_directory_goes_with_its_content(tmp_path: Path) -> None:
    with temporary_directory(tmp_path, "build-") as path:
        assert path.name.startswith("build-")
        (path / "a").mkdir()
        (path / "a" / "b").touch()
        (path / "a").chmod(0o500)
    assert list(tmp_path.iterdir()) == []


def test_a_writable_directory_stays_as_it_is(tmp_path: Path) -> None:
    assert check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        check_writable(tmp_path / "file")


@pytest.mark.parametrize("make", [make_file, make_directory, check_writable])
def test_a_directory_that_refuses_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object]
) -> None:
    attempts = []

    def fake_refusal(path: object, *_words: object, **_more: object) -> int:
        attempts.append(path)
        raise PermissionError(13, "Access is denied", str(path))

    monkeypatch.setattr(os, "open", fake_refusal)
    monkeypatch.setattr(os, "mkdir", fake_refusal)
    with pytest.raises(PermissionError):
        make(tmp_path)
    assert len(attempts) == 1


@pytest.mark.parametrize("make", [make_file, make_directory])
def test_a_name_that_is_taken_is_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object]
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "00")
    make(tmp_path)
    (tmp_path / "a.00").touch()
    (tmp_path / "a-00").mkdir(exist_ok=True)
    with pytest.raises(FileExistsError):
        make(tmp_path)
    assert (tmp_path / "a-00").is_dir()
