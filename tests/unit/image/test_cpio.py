"""The archive format of the initial RAM disk."""

from __future__ import annotations

from harness.image import cpio


def test_an_archive_is_padded_ended_and_has_no_time_in_it() -> None:
    data = cpio.archive([cpio.Entry("bin", cpio.S_IFDIR | 0o755), cpio.Entry("bin/a", cpio.S_IFREG | 0o755, b"12345")])
    assert len(data) % 4 == 0
    assert data.startswith(b"070701")
    fields = [int(data[6 + 8 * i : 14 + 8 * i], 16) for i in range(13)]
    assert fields[1] == 0o040755
    assert fields[5] == 0, "the time of change"
    second = data.index(b"070701", 6)
    assert second % 4 == 0
    assert int(data[second + 54 : second + 62], 16) == 5, "the length of the data"
    assert b"TRAILER!!!\0" in data
