"""The registry's program: the host's own, the unpacked one, or a word about what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.airgap import registry_package
from harness.system.process import Completed


@pytest.fixture(autouse=True)
def none_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)


def fake_apt(monkeypatch: pytest.MonkeyPatch, *, offered: bool) -> list[str]:
    """Have apt-get and dpkg-deb stand in for the real ones; return the programs that were called."""
    called: list[str] = []

    def run(argv: Sequence[str], *, timeout_s: float, cwd: Path) -> Completed:
        called.append(argv[0])
        if argv[0] == "apt-get" and offered:
            (cwd / "docker-registry_2.8.2_amd64.deb").write_bytes(b"deb")
        if argv[0] == "dpkg-deb":
            program = cwd / "tree/usr/bin/docker-registry"
            program.parent.mkdir(parents=True)
            program.write_bytes(b"program")
        said = "" if offered else "E: Unable to locate package docker-registry"
        return Completed(tuple(argv), 0 if offered else 100, said, "", timeout_s)

    monkeypatch.setattr(registry_package, "run", run)
    return called


def test_the_package_is_unpacked_once_and_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = fake_apt(monkeypatch, offered=True)
    said: list[str] = []
    for _ in range(2):
        registry_package.ensure_registry(tmp_path, said.append)
    assert called == ["apt-get", "dpkg-deb"]
    assert registry_package.find_program(tmp_path) == tmp_path / "docker-registry-unpacked/usr/bin/docker-registry"
    assert len(said) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["docker-registry-unpacked"]


def test_what_is_in_its_place_already_stays_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt(monkeypatch, offered=True)
    for name in ("registry", "docker-registry-unpacked"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "precious").touch()
    said: list[str] = []
    registry_package.ensure_registry(tmp_path, said.append)
    assert registry_package.find_program(tmp_path) is None
    assert f"{tmp_path / 'docker-registry-unpacked'}: exists without the registry program" in said[-1]
    assert len(list(tmp_path.rglob("precious"))) == 2


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_apt(monkeypatch, offered=True)
    (tmp_path / "cache").touch()
    said: list[str] = []
    registry_package.ensure_registry(tmp_path / "cache", said.append)
    assert "the air gap will not be proven: " in said[-1]
    assert str(tmp_path / "cache") in said[-1]


def test_a_host_that_offers_none_goes_on_and_is_told_what_that_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_apt(monkeypatch, offered=False)
    said: list[str] = []
    registry_package.ensure_registry(tmp_path, said.append)
    assert registry_package.find_program(tmp_path) is None
    assert "the air gap will not be proven" in said[-1]
    assert "Unable to locate package" in said[-1]


def test_the_hosts_own_program_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert registry_package.find_program(tmp_path) == Path("/usr/bin/docker-registry")
