"""The probe guest's boot sector."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.vmrun_qemu.qemu import probe_sector


def test_the_sector_is_what_its_source_says(tmp_path: Path) -> None:
    if shutil.which("as") is None or shutil.which("ld") is None:
        pytest.skip("binutils are not installed")
    source = Path(probe_sector.__file__).with_name("probe.S")
    objects, binary = tmp_path / "probe.o", tmp_path / "probe.bin"
    subprocess.run(["as", "--64", str(source), "-o", str(objects)], check=True, timeout=30)
    link = ["ld", "-m", "elf_x86_64", "-Ttext", "0x7c00", "--oformat", "binary", "-o", str(binary), str(objects)]
    subprocess.run(link, check=True, timeout=30)
    assert binary.read_bytes() == probe_sector.SECTOR
    assert len(probe_sector.SECTOR) == 512


def test_the_sector_is_a_boot_sector() -> None:
    assert len(probe_sector.SECTOR) == 512
    assert probe_sector.SECTOR.endswith(b"\x55\xaa")
