"""The screen is saved by vmcli where it is beside vmrun, else by vmrun."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import ProcessError
from harness.system.process import Completed
from harness.vmrun.errors import UnexpectedAnswer
from harness.vmrun.invocation import VmrunProgram
from harness.vmrun.screenshot import capture, vmcli_beside

PNG = b"\x89PNG\r\n\x1a\n"


class Programs:
    """Stand-ins of vmrun and vmcli that write a picture, or not."""

    def __init__(self, folder: Path, *, vmrun: bytes, vmcli: bytes | None) -> None:
        self.pictures = {"vmrun": vmrun, "vmcli": vmcli}
        self.calls: list[list[str]] = []
        (folder / "vmrun").touch()
        self.program = VmrunProgram((str(folder / "vmrun"),), "ws", run=self.run)

    def run(self, argv: Sequence[str], *, timeout_s: float, **_: Any) -> Completed:
        assert timeout_s > 0
        name = Path(argv[0]).name
        self.calls.append([name, *argv[1:]])
        picture = self.pictures[name]
        if picture is None:
            raise ProcessError("it hangs", remedy="-")
        Path(argv[-1]).write_bytes(picture)
        return Completed(tuple(argv), 0, "", "", 0.0)


def test_vmcli_saves_the_screen_without_tools_and_login(tmp_path: Path) -> None:
    (tmp_path / "vmcli").touch()
    programs = Programs(tmp_path, vmrun=b"", vmcli=PNG + b"1")
    vmx, png = tmp_path / "a.vmx", tmp_path / "a b.png"
    capture(programs.program, vmx, png)
    assert programs.calls == [["vmcli", str(vmx), "MKS", "captureScreenshot", str(png)]]
    assert png.read_bytes() == PNG + b"1"


@pytest.mark.parametrize("vmcli", [None, b"", b"GIF89a"])
def test_where_vmcli_gives_no_picture_vmrun_is_asked(tmp_path: Path, vmcli: bytes | None) -> None:
    (tmp_path / "vmcli").touch()
    programs = Programs(tmp_path, vmrun=PNG + b"2", vmcli=vmcli)
    capture(programs.program, tmp_path / "a.vmx", tmp_path / "a.png")
    assert [call[0] for call in programs.calls] == ["vmcli", "vmrun"]
    assert (tmp_path / "a.png").read_bytes() == PNG + b"2"


def test_without_vmcli_vmrun_is_asked_and_has_to_write_a_picture(tmp_path: Path) -> None:
    programs = Programs(tmp_path, vmrun=b"text", vmcli=b"")
    with pytest.raises(UnexpectedAnswer, match="no picture"):
        capture(programs.program, tmp_path / "a.vmx", tmp_path / "a.png")
    assert [call[0] for call in programs.calls] == ["vmrun"]


def test_vmcli_is_looked_for_beside_vmwares_vmrun_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("vmcli", "vmcli.exe", "vmcli.cmd"):
        (tmp_path / name).touch()
    assert vmcli_beside([str(tmp_path / "vmrun")]) == tmp_path / "vmcli"
    assert vmcli_beside([str(tmp_path / "vmrun.exe")]) == tmp_path / "vmcli.exe"
    assert vmcli_beside([str(tmp_path / "vmrun.cmd")]) == tmp_path / "vmcli.cmd"
    assert vmcli_beside(["vmrun"]) is None
    assert vmcli_beside([str(tmp_path / "vmrun-qemu")]) is None
    assert vmcli_beside([str(tmp_path / "python"), "-m", "x"]) is None
