"""State files, on a host where other processes have them open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.vmrun_qemu.base import home


@pytest.fixture
def denials(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Deny access that many times, as Windows does for an open file."""
    left = [3]

    def patient(name: str) -> None:
        real = getattr(Path, name)

        def act(path: Path, *words: Any, **more: Any) -> Any:
            if (name == "replace" or path.name == "r.json") and left[0] > 0:
                left[0] -= 1
                raise PermissionError(13, "in use", str(path))
            return real(path, *words, **more)

        monkeypatch.setattr(Path, name, act)

    for name in ("replace", "read_text", "unlink"):
        patient(name)
    return left


def test_a_file_that_a_reader_has_open_is_replaced_a_moment_later(tmp_path: Path, denials: list[int]) -> None:
    home.write_json(tmp_path / "r.json", {"a": 1})
    assert denials == [0]
    denials[0] = 3
    assert home.read_json(tmp_path / "r.json") == {"a": 1}
    denials[0] = 3
    home.remove(tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_and_cannot_be_read_is_not_absent(tmp_path: Path, denials: list[int]) -> None:
    assert home.read_json(tmp_path / "s.json") is None
    (tmp_path / "s.json").write_text('{"torn"', encoding="utf-8")
    assert home.read_json(tmp_path / "s.json") is None
    (tmp_path / "s.json").write_text("[" * 200_000, encoding="utf-8")
    assert home.read_json(tmp_path / "s.json") is None
    assert home.read_json(tmp_path / "s.json" / "below a file") is None
    (tmp_path / "r.json").write_text("{}", encoding="utf-8")
    denials[0] = 1000
    with pytest.raises(PermissionError):
        home.read_json(tmp_path / "r.json", denied_s=0.1)
    with pytest.raises(PermissionError):
        home.write_json(tmp_path / "r.json", {}, denied_s=0.1)
    with pytest.raises(PermissionError):
        home.remove(tmp_path / "r.json", denied_s=0.1)
    denials[0] = 0
    assert {file.name for file in tmp_path.iterdir()} <= {"s.json", "r.json"}
