"""`lab seed --check`."""

from __future__ import annotations

from pathlib import Path

import pytest
from seed.foreign.ubuntu_iso import LINE, good_files
from seed.foreign_iso import foreign_iso
from seed_samples import fake_image, spec

from harness.seed.build import write_seed_iso

from .command_line import CommandLine


@pytest.fixture
def good(lab: CommandLine) -> dict[str, bytes]:
    """An ISO for the first machine of the lab; its key is not there, so that none is compared."""
    text = good_files()["conf/user-data"].decode()
    edits = {"node-a": "k3s-master1", "ops": "ubuntu", "10.20.0.5/16": "192.168.6.10/24", "10.20.0.1": "192.168.6.1"}
    for old, new in {**edits, "/srv/copied": "/var/lib/iso-copy-complete"}.items():
        text = text.replace(old, new)
    return good_files() | {"conf/user-data": text.encode()}


def test_a_healthy_iso_is_ok(lab: CommandLine, good: dict[str, bytes], tmp_path: Path) -> None:
    result = lab("seed", "--check", str(foreign_iso(tmp_path / "any.iso", good)))
    assert result.exit_code == 0
    assert "machine k3s-master1" in result.stdout
    assert "ok   nothing wrong was found" in result.stdout


def test_a_mistake_has_its_place_and_remedy_and_exit_code_1(
    lab: CommandLine, good: dict[str, bytes], tmp_path: Path
) -> None:
    files = good | {"boot/grub/grub.cfg": good_files(LINE.replace("autoinstall ", ""))["boot/grub/grub.cfg"]}
    result = lab("seed", "--check", str(foreign_iso(tmp_path / "seed-worker1.iso", files)))
    assert result.exit_code == 1
    assert "machine k3s-worker1" in result.stdout  # by the name of the file
    assert "FAIL /boot/grub/grub.cfg:3: the word `autoinstall` is missing" in result.stdout
    assert "remedy: add `autoinstall`" in result.stdout
    assert "it installs k3s-master1, not k3s-worker1" in result.stdout


def test_data_elsewhere_are_not_called_right(lab: CommandLine, good: dict[str, bytes], tmp_path: Path) -> None:
    files = {name: data for name, data in good.items() if not name.startswith("conf/")}
    files |= {"boot/grub/grub.cfg": good_files("autoinstall console=ttyS0 ---")["boot/grub/grub.cfg"]}
    result = lab("seed", "--check", str(foreign_iso(tmp_path / "any.iso", files)))
    assert result.exit_code == 0
    assert "?    no user-data is on it" in result.stdout
    assert "machine unknown" in result.stdout
    assert "ok " not in result.stdout


def test_an_iso_of_ours_is_compared_with_its_digests(lab: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "seed.iso"
    write_seed_iso(spec(), fake_image(tmp_path / "image"), path)
    assert lab("seed", "--check", str(path)).exit_code == 0
    path.write_bytes(path.read_bytes().replace(b"#cloud-config", b"#cloud-confiG"))
    result = lab("seed", "--check", str(path))
    assert result.exit_code == 1
    assert "FAIL autoinstall/user-data is damaged" in result.stdout


def test_what_is_no_iso_is_wrong_input(lab: CommandLine, tmp_path: Path) -> None:
    for content in (None, b"", bytes(100_000)):
        path = tmp_path / "x.iso"
        if content is not None:
            path.write_bytes(content)
        assert lab("seed", "--check", str(path)).exit_code == 4
