"""testinfra's modules over the persistent shell, on the machine of the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.guest.channel import ChannelLost, CommandResult, CommandTimeout
from harness.guest.ssh import SshChannel
from harness.guest.ssh_login import SH
from harness.guest.testinfra_backend import lab_host

from .fake_guest import FakeSshGuest

on_linux = pytest.mark.skipif(not Path("/proc/sys").exists(), reason="the fake guest is not Linux")


class FakeChannel:
    """Answers from a table, root's after `# `; an unknown command fails the test."""

    def __init__(self, answers: dict[str, tuple[int, str]]) -> None:
        self.answers = answers
        self.timeouts: set[float] = set()

    lab_key = ""

    def try_login(self, user: str, timeout_s: float) -> tuple[tuple[str, ...], bool]:
        raise NotImplementedError

    def run(self, command: str, *, timeout_s: float, stdin: str = "", as_root: bool = False) -> CommandResult:
        self.timeouts.add(timeout_s)
        status, stdout = self.answers[f"# {command}" if as_root else command]
        return CommandResult(command, status, stdout, "", 0.0)

    def close(self) -> None:
        pass


@on_linux
def test_the_modules_work_over_one_login(guest: FakeSshGuest, channel: SshChannel, tmp_path: Path) -> None:
    host = lab_host(channel, "node1", 10)
    file = tmp_path / "it's a file"
    file.write_text("한글\n")
    assert host.file(str(file)).content_string == "한글\n"
    assert host.file(str(tmp_path)).is_directory
    assert not host.file("/nowhere").exists
    assert host.user("root").uid == 0
    assert host.mount_point("/proc").filesystem == "proc"
    assert host.addr("127.0.0.1").is_resolvable
    assert host.check_output("echo %s", "a 'b' \"c\"") == "a 'b' \"c\""
    assert host.run("exit 4").rc == 4
    assert host.run("printf '\\377'").stdout == "\ufffd"
    assert (channel.logins, guest.commands) == (1, [SH])


@on_linux
@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="packages are looked up with dpkg")
def test_packages_are_looked_up(channel: SshChannel) -> None:
    host = lab_host(channel, "node1", 10)
    assert host.package("dpkg").is_installed
    assert not host.package("no-such-package").is_installed


@on_linux
@pytest.mark.skipif(shutil.which("ps") is None, reason="processes and kernel settings are looked up with procps")
def test_processes_and_kernel_settings_are_looked_up(channel: SshChannel) -> None:
    host = lab_host(channel, "node1", 10)
    assert host.sysctl("kernel.ostype") == "Linux"
    assert host.process.filter(comm="sh")


@on_linux
@pytest.mark.skipif(shutil.which("ip") is None, reason="interfaces are looked up with ip")
def test_interfaces_are_looked_up(channel: SshChannel) -> None:
    host = lab_host(channel, "node1", 10)
    assert "127.0.0.1" in host.interface("lo").addresses
    assert not host.interface("eth99").exists


def test_sudo_never_asks_and_the_deadline_is_handed_on() -> None:
    fake = FakeChannel({"# id -u": (0, "0\n"), "sudo -n -u nobody /bin/sh -c id": (0, "n")})
    host = lab_host(fake, "node1", 7.5)
    with host.sudo():
        assert host.check_output("id -u") == "0"
    with host.sudo("nobody"):
        assert host.run("id").stdout == "n"
    assert fake.timeouts == {7.5}
    assert host.backend.get_pytest_id() == "lab://node1"


def test_text_that_is_not_ascii_asks_the_guest_for_no_encoding() -> None:
    host = lab_host(FakeChannel({"echo 한": (0, "한\n")}), "node1", 5)
    assert host.run("echo 한").stdout_bytes == "한\n".encode()


def test_a_guest_that_does_not_answer_is_an_error_and_no_result(channel: SshChannel) -> None:
    host = lab_host(channel, "node1", 0.3)
    with pytest.raises(CommandTimeout):
        host.run("sleep 5")
    channel.close()
    with pytest.raises(ChannelLost):
        assert host.file("/").exists


def test_a_lost_guest_is_remembered_and_its_condition_leads_the_error(channel: SshChannel) -> None:
    host = lab_host(channel, "node1", 0.3, lambda: "the machine is paused")
    with pytest.raises(CommandTimeout, match=r"\): `sleep 5`"):
        host.run("sleep 5")
    backend = host.backend
    assert backend.lost is None, "one slow command, and it answers"
    channel.close()
    with pytest.raises(ChannelLost, match=r"\): the machine is paused: not connected"):
        host.run("true")
    lost: object = backend.lost
    assert lost is not None
