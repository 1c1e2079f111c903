"""Drivers of the initial RAM disk: their order and their compression."""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

import pytest
from fake_run import FakeRun

from harness.cli import host_packages
from harness.core.errors import HostError
from harness.image.initrd import load_order, module_bytes, parse_dependencies

MODULES_DEP = """\
kernel/drivers/ata/ahci.ko: kernel/drivers/ata/libahci.ko kernel/drivers/ata/libata.ko kernel/drivers/scsi/scsi_mod.ko
kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
kernel/drivers/scsi/scsi_mod.ko:
"""


def test_a_module_is_loaded_after_what_it_needs() -> None:
    dependencies = parse_dependencies(MODULES_DEP)
    assert load_order("ahci", dependencies) == (
        "kernel/drivers/scsi/scsi_mod.ko",
        "kernel/drivers/ata/libata.ko",
        "kernel/drivers/ata/libahci.ko",
        "kernel/drivers/ata/ahci.ko",
    )
    assert load_order("scsi_mod", dependencies) == ("kernel/drivers/scsi/scsi_mod.ko",)
    assert load_order("nvme", dependencies) == ()


def test_compressed_modules_are_named_and_packed_plain(tmp_path: Path) -> None:
    dependencies = parse_dependencies("kernel/a.ko.zst: kernel/b.ko.xz\n")
    assert load_order("a", dependencies) == ("kernel/b.ko", "kernel/a.ko")
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/b.ko.xz").write_bytes(lzma.compress(b"module b"))
    (tmp_path / "kernel/c.ko").write_bytes(b"module c")
    assert module_bytes(tmp_path, "kernel/b.ko") == b"module b"
    assert module_bytes(tmp_path, "kernel/c.ko") == b"module c"


@pytest.fixture
def zstd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    """A program that is there and knows how to unpack one driver."""
    plain = tmp_path / "kernel/d.ko"
    plain.parent.mkdir()
    fake = FakeRun()
    words = ("zstd", "-q", "-d", "-f", "-o", plain, plain.with_name("d.ko.zst"))
    fake.on(*words, then=lambda: plain.write_bytes(b"module d"))  # type: ignore[arg-type]  # paths stay paths
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / ("zstd.exe" if sys.platform == "win32" else "zstd")).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(programs))
    return fake


def test_a_driver_that_zstd_packed_is_unpacked_and_nothing_is_left(tmp_path: Path, zstd: FakeRun) -> None:
    assert module_bytes(tmp_path, "kernel/d.ko", zstd) == b"module d"
    assert len(zstd.calls) == 1
    assert list((tmp_path / "kernel").iterdir()) == []


def test_a_host_without_zstd_gets_the_command_to_install_it(
    tmp_path: Path, zstd: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(HostError, match="packed with zstd") as caught:
        module_bytes(tmp_path, "kernel/d.ko", zstd)
    assert "lab setup --with-deps" in caught.value.remedy
    assert "zstd" in host_packages.PACKAGES
    assert zstd.calls == []
