from __future__ import annotations

import shutil

import pytest
from fake_run import FakeRun

from harness.cli import host_packages as deps
from harness.core.errors import HostError

INSTALLED = "install ok installed"
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends")


def query(name: str) -> tuple[str, ...]:
    return ("dpkg-query", "-W", "-f", "${Status}", name)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> FakeRun:
    """A Debian host with every package but those that a test takes away, used by root."""
    fake = FakeRun()
    monkeypatch.setattr(deps, "run", fake)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("os.geteuid", lambda: 0, raising=False)
    return fake


def packages(host: FakeRun, **states: object) -> None:
    for name in deps.PACKAGES:
        answers = states.get(name.replace("-", "_"), [INSTALLED])
        for answer in answers if isinstance(answers, list) else [answers]:
            host.on(*query(name), says=answer)


def test_nothing_to_do_runs_no_apt(host: FakeRun) -> None:
    packages(host)
    said: list[str] = []
    deps.ensure_packages(said.append)
    assert said == ["system packages: nothing to do"]
    assert {call[0] for call in host.calls} == {"dpkg-query"}


@pytest.mark.parametrize("state", [("no packages found", 1), "deinstall ok config-files", "install ok half-configured"])
def test_a_package_that_is_not_whole_is_missing(host: FakeRun, state: object) -> None:
    packages(host, mmdebstrap=state)
    assert deps.missing_packages() == ("mmdebstrap",)


def test_what_is_missing_is_installed_and_said_before_it_runs(host: FakeRun) -> None:
    packages(host, mmdebstrap=[("", 1), INSTALLED], uidmap=[("", 1), INSTALLED])
    said: list[str] = []
    host.on("apt-get", "update", then=lambda: said.append("(update ran)"))
    host.on(*INSTALL, "mmdebstrap", "uidmap", then=lambda: said.append("(install ran)"))
    deps.ensure_packages(said.append)
    assert said == [
        "running: apt-get update",
        "(update ran)",
        "running: apt-get install -y --no-install-recommends mmdebstrap uidmap",
        "(install ran)",
        "system packages: installed mmdebstrap, uidmap",
    ]
    apt = [env for call, env in zip(host.calls, host.envs, strict=True) if call[0] == "apt-get"]
    assert [env["DEBIAN_FRONTEND"] for env in apt] == ["noninteractive", "noninteractive"]


def test_a_user_with_sudo_uses_it_without_a_password(host: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    packages(host, fakeroot=[("", 1), INSTALLED])
    sudo = ("sudo", "-n", "DEBIAN_FRONTEND=noninteractive")
    host.on("sudo", "-n", "true").on(*sudo, "apt-get", "update").on(*sudo, *INSTALL, "fakeroot")
    deps.ensure_packages(lambda _: None)
    assert (*sudo, *INSTALL, "fakeroot") in host.calls


@pytest.mark.parametrize("has_sudo", [True, False])
def test_without_the_right_the_exact_command_is_the_remedy(
    host: FakeRun, monkeypatch: pytest.MonkeyPatch, has_sudo: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "sudo" and not has_sudo else f"/usr/bin/{name}")
    packages(host, mmdebstrap=("", 1))
    host.on("sudo", "-n", "true", says=("a password is required", 1))
    with pytest.raises(HostError) as caught:
        deps.ensure_packages(lambda _: None)
    assert "apt-get update && apt-get install -y --no-install-recommends mmdebstrap" in caught.value.remedy
    assert not any("apt-get" in call for call in host.calls)


def test_a_failed_apt_is_an_error_with_its_last_words(host: FakeRun) -> None:
    packages(host, mmdebstrap=("", 1))
    host.on("apt-get", "update", says=("Err: Temporary failure resolving", 100))
    with pytest.raises(HostError, match="apt-get update failed") as caught:
        deps.ensure_packages(lambda _: None)
    assert "Temporary failure resolving" in caught.value.said


def test_apt_that_succeeds_and_installs_nothing_is_not_believed(host: FakeRun) -> None:
    packages(host, mmdebstrap=("", 1))
    host.on("apt-get", "update").on(*INSTALL, "mmdebstrap")
    with pytest.raises(HostError, match="still missing"):
        deps.ensure_packages(lambda _: None)


def test_a_host_without_dpkg_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(HostError, match="no dpkg"):
        deps.missing_packages()
