"""The registry's program: the host's own, unpacked, or reported as missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.airgap import registry_package
from harness.system.process import Completed


@pytest.fixture(autouse=True)
def none_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))


class FakeApt:
    """apt-get and dpkg-deb without packages.

    Args:
        offered: Whether the package sources have docker-registry.
    """

    def __init__(self, *, offered: bool) -> None:
        self.called: list[str] = []
        self._offered = offered

    def __call__(self, argv: Sequence[str], *, timeout_s: float, cwd: Path) -> Completed:
        self.called.append(argv[0])
        if argv[0] == "apt-get" and self._offered:
            (cwd / "docker-registry_2.8.2_amd64.deb").write_bytes(b"deb")
        if argv[0] == "dpkg-deb":
            program = cwd / "tree/usr/bin/docker-registry"
            program.parent.mkdir(parents=True)
            program.write_bytes(b"program")
        output = "" if self._offered else "E: Unable to locate package docker-registry"
        return Completed(tuple(argv), 0 if self._offered else 100, output, "", timeout_s)


def test_the_package_is_unpacked_once_and_not_installed(tmp_path: Path) -> None:
    apt = FakeApt(offered=True)
    messages: list[str] = []
    for _ in range(2):
        registry_package.ensure_registry(tmp_path, messages.append, apt)
    assert apt.called == ["apt-get", "dpkg-deb"]
    assert registry_package.find_program(tmp_path) == tmp_path / "docker-registry-unpacked/usr/bin/docker-registry"
    assert len(messages) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["docker-registry-unpacked"]


def test_an_existing_directory_stays_and_is_named(tmp_path: Path) -> None:
    apt = FakeApt(offered=True)
    for name in ("registry", "docker-registry-unpacked"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "precious").touch()
    messages: list[str] = []
    registry_package.ensure_registry(tmp_path, messages.append, apt)
    assert registry_package.find_program(tmp_path) is None
    assert f"{tmp_path / 'docker-registry-unpacked'}: exists without the registry program" in messages[-1]
    assert len(list(tmp_path.rglob("precious"))) == 2


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    apt = FakeApt(offered=True)
    (tmp_path / "cache").touch()
    messages: list[str] = []
    registry_package.ensure_registry(tmp_path / "cache", messages.append, apt)
    assert "the air gap will not be proven: " in messages[-1]
    assert str(tmp_path / "cache") in messages[-1]


def test_a_host_without_the_package_continues_with_a_message(tmp_path: Path) -> None:
    apt = FakeApt(offered=False)
    messages: list[str] = []
    registry_package.ensure_registry(tmp_path, messages.append, apt)
    assert registry_package.find_program(tmp_path) is None
    assert "the air gap will not be proven" in messages[-1]
    assert "Unable to locate package" in messages[-1]


def test_the_hosts_own_program_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / ("docker-registry.exe" if sys.platform == "win32" else "docker-registry")
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert registry_package.find_program(tmp_path / "cache") == program
