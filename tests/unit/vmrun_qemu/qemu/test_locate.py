"""Which QEMU is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import posix_modes

from harness.vmrun_qemu.base.messages import PowerOnFailure
from harness.vmrun_qemu.qemu import locate


def script(path: Path, output: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{output}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@posix_modes
def test_the_named_qemu_comes_before_the_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = script(tmp_path / "qemu-system-x86_64", "QEMU emulator version 9.1")
    named = script(tmp_path / "mine", "QEMU emulator version 7.2.15 (Debian 1:7.2)")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VMRUN_QEMU_BIN", raising=False)
    assert locate.find() == locate.Qemu(on_path)
    monkeypatch.setenv("VMRUN_QEMU_BIN", str(named))
    assert locate.find() == locate.Qemu(named)


def test_a_named_qemu_that_does_not_exist_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_BIN", str(tmp_path / "none"))
    with pytest.raises(PowerOnFailure) as caught:
        locate.find()
    assert caught.value.reason.endswith("none is not a program")


@posix_modes
def test_the_version_is_text_and_numbers(tmp_path: Path) -> None:
    qemu = locate.Qemu(script(tmp_path / "qemu", "QEMU emulator version 7.2.15 (Debian 1:7.2)"))
    assert qemu.version() == ("7.2.15", (7, 2, 15))
    assert locate.Qemu(script(tmp_path / "other", "no QEMU")).version() == ("", ())


def test_qemu_img_is_named_after_its_qemu() -> None:
    assert locate.Qemu(Path("/opt/bin/qemu-system-x86_64")).image_tool == Path("/opt/bin/qemu-img")
