from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from fake_run import FakeRun

from harness.cli.host_packages import PACKAGES, PackageSystem, ensure_packages, missing_packages
from harness.core.errors import HostError

INSTALLED = "install ok installed"
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends")


def query(name: str) -> tuple[str, ...]:
    return ("dpkg-query", "-W", "-f", "${Status}", name)


@dataclass
class DebianHost:
    """A Debian host, used by root."""

    run: FakeRun = field(default_factory=FakeRun)
    root: bool = True
    absent: tuple[str, ...] = ()

    @property
    def system(self) -> PackageSystem:
        which = lambda name: None if name in self.absent else f"/usr/bin/{name}"  # noqa: E731  (beside its use)
        return PackageSystem(self.run, which, lambda: self.root)

    def ensure(self) -> list[str]:
        messages: list[str] = []
        ensure_packages(messages.append, system=self.system)
        return messages


@pytest.fixture
def host() -> DebianHost:
    return DebianHost()


def packages(host: DebianHost, **states: object) -> None:
    """Let every package be installed except these, which answer so."""
    for name in PACKAGES:
        answers = states.get(name.replace("-", "_"), [INSTALLED])
        for answer in answers if isinstance(answers, list) else [answers]:
            host.run.on(*query(name), says=answer)


def test_nothing_to_do_runs_no_apt(host: DebianHost) -> None:
    packages(host)
    assert host.ensure() == ["system packages: nothing to do"]
    assert {call[0] for call in host.run.calls} == {"dpkg-query"}


@pytest.mark.parametrize("state", [("no packages found", 1), "deinstall ok config-files", "install ok half-configured"])
def test_a_package_that_is_not_fully_installed_is_missing(host: DebianHost, state: object) -> None:
    packages(host, mmdebstrap=state)
    assert missing_packages(system=host.system) == ("mmdebstrap",)


def test_missing_packages_are_installed_and_each_command_is_reported_before_it_runs(host: DebianHost) -> None:
    packages(host, mmdebstrap=[("", 1), INSTALLED], uidmap=[("", 1), INSTALLED])
    messages: list[str] = []
    host.run.on("apt-get", "update", then=lambda: messages.append("(update ran)"))
    host.run.on(*INSTALL, "mmdebstrap", "uidmap", then=lambda: messages.append("(install ran)"))
    ensure_packages(messages.append, system=host.system)
    assert messages == [
        "running: apt-get update",
        "(update ran)",
        "running: apt-get install -y --no-install-recommends mmdebstrap uidmap",
        "(install ran)",
        "system packages: installed mmdebstrap, uidmap",
    ]
    apt = [env for call, env in zip(host.run.calls, host.run.envs, strict=True) if call[0] == "apt-get"]
    assert [env["DEBIAN_FRONTEND"] for env in apt] == ["noninteractive", "noninteractive"]


def test_a_user_with_sudo_uses_it_without_a_password(host: DebianHost) -> None:
    host.root = False
    packages(host, fakeroot=[("", 1), INSTALLED])
    sudo = ("sudo", "-n", "DEBIAN_FRONTEND=noninteractive")
    host.run.on("sudo", "-n", "true").on(*sudo, "apt-get", "update").on(*sudo, *INSTALL, "fakeroot")
    host.ensure()
    assert (*sudo, *INSTALL, "fakeroot") in host.run.calls


@pytest.mark.parametrize("has_sudo", [True, False])
def test_without_root_and_sudo_the_remedy_is_the_exact_command(host: DebianHost, has_sudo: bool) -> None:
    host.root = False
    host.absent = () if has_sudo else ("sudo",)
    packages(host, mmdebstrap=("", 1))
    host.run.on("sudo", "-n", "true", says=("a password is required", 1))
    with pytest.raises(HostError) as caught:
        host.ensure()
    assert "apt-get update && apt-get install -y --no-install-recommends mmdebstrap" in caught.value.remedy
    assert not any("apt-get" in call for call in host.run.calls)


def test_a_failed_apt_is_an_error_with_the_end_of_its_output(host: DebianHost) -> None:
    packages(host, mmdebstrap=("", 1))
    host.run.on("apt-get", "update", says=("Err: Temporary failure resolving", 100))
    with pytest.raises(HostError, match="apt-get update failed") as caught:
        host.ensure()
    assert "Temporary failure resolving" in caught.value.detail


def test_an_apt_that_exits_with_0_and_installs_nothing_is_an_error(host: DebianHost) -> None:
    packages(host, mmdebstrap=("", 1))
    host.run.on("apt-get", "update").on(*INSTALL, "mmdebstrap")
    with pytest.raises(HostError, match="still missing"):
        host.ensure()


def test_a_host_without_dpkg_is_an_error_with_a_remedy(host: DebianHost) -> None:
    host.absent = ("dpkg-query",)
    with pytest.raises(HostError, match="no dpkg") as caught:
        missing_packages(system=host.system)
    assert "use Debian 12 or Ubuntu 24.04" in caught.value.remedy
