from __future__ import annotations

from pathlib import Path

import pytest
from needs import posix_modes

from harness.system.programs import find_program, located


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).touch(mode=0o755)
    return folder / name


def test_on_windows_the_working_directory_is_no_place_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = program(tmp_path / "tools", "qemu-img.exe")
    program(tmp_path / "here", "qemu-img.exe")
    monkeypatch.chdir(tmp_path / "here")
    variables = {"PATH": f'{tmp_path / "none"};;"{installed.parent}"', "PATHEXT": ".COM;.EXE"}
    for name in ("qemu-img", "qemu-img.exe"):
        assert find_program(name, platform="win32", environ=variables) == str(installed)
    assert find_program("qemu-img", platform="win32", environ={"PATH": ""}) is None
    named = {"PATH": f"{tmp_path / 'here'};{installed.parent}"}
    assert find_program("qemu-img", platform="win32", environ=named) == str(tmp_path / "here" / "qemu-img.exe")
    assert find_program("qemu-img", path=str(installed.parent), platform="win32", environ={}) == str(installed)


def test_a_path_is_no_name_to_search(tmp_path: Path) -> None:
    script = program(tmp_path, "vmrun.cmd")
    for named in (script, script.with_suffix("")):
        assert find_program(str(named), platform="win32", environ={}) == str(script)
    assert find_program("tools\\vmrun.cmd", platform="win32", environ={"PATH": str(tmp_path)}) is None


@posix_modes
def test_elsewhere_path_decides(tmp_path: Path) -> None:
    tool = program(tmp_path, "tool")
    assert find_program("tool", path=str(tmp_path), platform="linux") == str(tool)
    assert located(("tool", "-x"), "linux") == ("tool", "-x")


def test_a_command_line_for_windows_has_the_path_of_its_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = program(tmp_path / "tools", "tool.exe")
    program(tmp_path / "here", "other.exe")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PATH", f"{tool.parent};")
    assert located(("tool.exe", "-x"), "win32") == (str(tool), "-x")
    with pytest.raises(FileNotFoundError):
        located(("other.exe",), "win32")
