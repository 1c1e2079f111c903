from __future__ import annotations

from pathlib import Path

import pytest

from harness.system.disk_usage import directory_bytes


def test_the_files_of_all_levels_count(tmp_path: Path) -> None:
    assert directory_bytes(tmp_path) == 0
    (tmp_path / "a").write_bytes(b"\1" * 8192)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b").write_bytes(b"\1" * 8192)
    assert 16384 <= directory_bytes(tmp_path) < 1 << 20


def test_a_hole_takes_no_room(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(1 << 30)
    if not getattr((tmp_path / "sparse").stat(), "st_blocks", 1 << 21) < 1 << 21:
        pytest.skip("this file system counts no blocks, or has no holes")
    assert directory_bytes(tmp_path) < 1 << 30
