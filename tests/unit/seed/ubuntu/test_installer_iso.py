from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import SeedError
from harness.seed.foreign.boot_rules import boot_findings
from harness.seed.iso9660 import IsoReader
from harness.seed.ubuntu.installer_iso import make_installer_iso
from harness.seed.ubuntu.patches import patches_of
from seed.ubuntu.live_iso import live_files, live_iso, md5


def made(source: Path, sha256: str, target: Path) -> list[str]:
    said: list[str] = []
    make_installer_iso(source, sha256, target, said.append)
    return said


@pytest.mark.parametrize("isolinux", [False, True])
def test_the_copy_installs_by_itself_and_differs_in_nothing_else(tmp_path: Path, isolinux: bool) -> None:
    source, sha256 = live_iso(tmp_path / "live.iso", live_files(isolinux=isolinux))
    target = tmp_path / "seeds" / "installer.iso"
    (said,) = made(source, sha256, target)
    assert "bytes changed, in /" in said
    assert "/boot/grub/grub.cfg" in said
    with IsoReader(target) as iso:
        assert list(boot_findings(iso)) == []
        for line in iso.read(iso.find("md5sum.txt") or pytest.fail("no list")).decode().splitlines():
            digest, _, path = line.partition("  ./")
            assert md5(iso.read(iso.find(path) or pytest.fail(path))) == digest
    with IsoReader(source) as iso:
        expected = bytearray(source.read_bytes())
        for patch in patches_of(iso):
            expected[patch.offset : patch.offset + len(patch.new)] = patch.new
    assert target.read_bytes() == bytes(expected)
    assert list(target.parent.iterdir()) == [target]


def test_what_is_up_to_date_is_kept_and_what_is_damaged_is_written_again(tmp_path: Path) -> None:
    source, sha256 = live_iso(tmp_path / "live.iso")
    target = tmp_path / "installer.iso"
    made(source, sha256, target)
    whole, before = target.read_bytes(), target.stat().st_mtime_ns
    assert made(source, sha256, target) == ["installer.iso is up to date"]
    assert target.stat().st_mtime_ns == before
    for place in (100, len(whole) - 1):  # in the boot record, and at the end of the partition behind the file system
        target.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert "bytes changed" in made(source, sha256, target)[0]
        assert target.read_bytes() == whole


def test_a_source_with_another_digest_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    source, sha256 = live_iso(tmp_path / "live.iso")
    with pytest.raises(SeedError, match=f"its SHA-256 is {sha256}, and the lab file says 000") as caught:
        made(source, "0" * 64, tmp_path / "out" / "installer.iso")
    assert "SHA256SUMS" in caught.value.remedy
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("of_others", [b"not an ISO", None])
def test_a_file_of_others_is_not_replaced(tmp_path: Path, of_others: bytes | None) -> None:
    source, sha256 = live_iso(tmp_path / "live.iso")
    target = tmp_path / "installer.iso"
    target.write_bytes(source.read_bytes() if of_others is None else of_others)
    before = target.read_bytes()
    with pytest.raises(SeedError, match="is not an installer ISO that this project built"):
        made(source, sha256, target)
    assert target.read_bytes() == before


def test_a_directory_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    source, sha256 = live_iso(tmp_path / "live.iso")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SeedError, match="cannot be written"):
        made(source, sha256, tmp_path / "file" / "installer.iso")
