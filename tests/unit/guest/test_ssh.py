"""Commands over a persistent shell: exact output, no shared state, deadlines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.deadline import SYSTEM_CLOCK, Deadline, Pending, wait_until
from harness.core.errors import GuestError, HostError
from harness.guest.channel import ChannelLost, CommandTimeout, NoRoot, OutputTooLarge
from harness.guest.persistent_shell import PersistentShell
from harness.guest.shell_protocol import MAX_COMMAND_BYTES
from harness.guest.ssh import SshChannel
from harness.guest.ssh_connection import SshTarget
from harness.guest.ssh_login import ROOT_SH, SH

from .fake_guest import FakeSshGuest


def alive(channel: SshChannel) -> bool:
    answer = channel.run("echo alive; echo well >&2; exit 7", timeout_s=10)
    return (answer.stdout, answer.stderr, answer.exit_status) == ("alive\n", "well\n", 7)


@pytest.mark.parametrize(
    ("command", "status", "stdout"),
    [
        ("echo a; echo b >&2; exit 3", 3, "a\n"),
        ("printf 'no line end'", 0, "no line end"),
        ("set -e; false; echo not reached", 1, ""),
        ("cd /; X=1; export Y=2; umask 0; set -f; alias ls=false", 0, ""),
        ("cat <<'X'\n$HOME 'q'\nX", 0, "$HOME 'q'\n"),
        ("cat <<X\nnever ended", 0, "never ended"),
        ("echo one\necho two # a comment", 0, "one\ntwo\n"),
        ("cat", 0, ""),
        ("read line; echo $?", 0, "1\n"),
        ("", 0, ""),
        ("# only a comment", 0, ""),
        ("exec >&- 2>&-; exit 5", 5, ""),
        ("trap 'echo bye' EXIT; exit 6", 6, "bye\n"),
        ("kill -KILL $$", 137, ""),
        ("echo '한국어 éÀ'", 0, "한국어 éÀ\n"),
        ("printf '\\377\\000x'", 0, "\ufffd\0x"),
        ("echo 'a\"b' \"c'd\" \\\\", 0, "a\"b c'd \\\n"),
        ("exit 255", 255, ""),
    ],
)
def test_a_command_may_hold_anything(
    shared_guest: FakeSshGuest, shared_channel: SshChannel, command: str, status: int, stdout: str
) -> None:
    answer = shared_channel.run(command, timeout_s=10)
    assert (answer.exit_status, answer.stdout) == (status, stdout)
    assert answer.ok == (status == 0)
    assert alive(shared_channel)
    assert len(shared_guest.commands) == 1


@pytest.mark.parametrize(
    "command", ["echo '", 'echo "', "(", "if true; then", "}", "$(", "echo `", "echo \\", "&&", ";;"]
)
def test_an_unfinished_command_does_not_affect_the_next(
    shared_guest: FakeSshGuest, shared_channel: SshChannel, command: str
) -> None:
    answer = shared_channel.run(command, timeout_s=10)
    assert answer.ok == (command == "echo \\")
    assert alive(shared_channel)
    assert len(shared_guest.commands) == 1


def test_nothing_is_carried_over(shared_channel: SshChannel) -> None:
    before = shared_channel.run("pwd; umask; ulimit -n", timeout_s=10).stdout
    shared_channel.run("cd /; X=1; export X; umask 0; ulimit -n 5; PATH=", timeout_s=10)
    assert shared_channel.run("pwd; umask; ulimit -n", timeout_s=10).stdout == before
    assert shared_channel.run("echo [$X]; ls / >/dev/null", timeout_s=10).stdout == "[]\n"


def test_a_command_that_cannot_be_framed_is_rejected(shared_channel: SshChannel) -> None:
    with pytest.raises(ValueError, match="NUL"):
        shared_channel.run("echo \0", timeout_s=10)
    with pytest.raises(ValueError, match="at most"):
        shared_channel.run("x" * (MAX_COMMAND_BYTES + 1), timeout_s=10)
    longest = "echo " + "x" * (MAX_COMMAND_BYTES - 5)
    assert len(shared_channel.run(longest, timeout_s=10).stdout) == MAX_COMMAND_BYTES - 4


def test_two_hundred_commands_cost_one_login_and_one_session(guest: FakeSshGuest, channel: SshChannel) -> None:
    for number in range(200):
        answer = channel.run(f"echo {number}; exit {number}", timeout_s=10)
        assert (answer.stdout, answer.exit_status) == (f"{number}\n", number)
    assert (channel.logins, guest.commands) == (1, [SH])
    assert guest.connections == len(guest.offered) == 1


def test_megabytes_on_both_streams_arrive_whole(shared_channel: SshChannel) -> None:
    answer = shared_channel.run("yes out | head -c 3000000; yes err | head -c 5000000 >&2; echo end", timeout_s=30)
    assert answer.stdout == "out\n" * 750_000 + "end\n"
    assert answer.stderr == "err\n" * 1_250_000
    assert alive(shared_channel)


def test_standard_input_is_exact(shared_channel: SshChannel) -> None:
    text = "a'\"$HOME\\\n한\r\n\tno line end"
    assert shared_channel.run("cat", stdin=text, timeout_s=10).stdout == text
    assert shared_channel.run("wc -c; exit 4", stdin="0123456789" * 300_000, timeout_s=20).stdout.strip() == "3000000"
    assert shared_channel.run("true", stdin="x" * 1_000_000, timeout_s=20).ok
    assert alive(shared_channel)


def test_a_trickling_command_does_not_outlive_its_deadline(
    channel: SshChannel, tmp_path: Path, guest: FakeSshGuest
) -> None:
    assert alive(channel)
    beat = tmp_path / "beat"
    started = time.monotonic()
    with pytest.raises(CommandTimeout) as caught:
        channel.run(
            f"trap '' TERM HUP INT PIPE; echo oops >&2; while :; do echo x; date +%N > {beat}; sleep 0.05; done",
            timeout_s=1.0,
        )
    assert 1.0 <= time.monotonic() - started < 5
    assert caught.value.stdout.startswith("x\nx\n")
    assert caught.value.stderr == "oops\n"
    assert "oops" in str(caught.value)
    assert alive(channel)
    assert (channel.logins, len(guest.commands), len(guest.offered)) == (1, 2, 1)
    _assert_stopped(beat)


def _assert_stopped(beat: Path) -> None:
    """Wait until the file stays unchanged for five beats."""
    seen: list[str] = []

    def probe(_: Deadline) -> bool | Pending:
        seen.append(beat.read_text())
        return (len(seen) > 1 and seen[-1] == seen[-2]) or Pending("still beating")

    wait_until(probe, Deadline(3), what="the command ends", interval_s=0.25)


def test_the_end_of_the_shell_is_noticed_and_a_new_one_starts(guest: FakeSshGuest, channel: SshChannel) -> None:
    with pytest.raises(ChannelLost, match="the shell ended") as caught:
        channel.run("echo last words; kill -KILL $PPID; sleep 1", timeout_s=10)
    assert "last words" in str(caught.value)
    assert alive(channel)
    assert (channel.logins, len(guest.commands)) == (1, 2)


def test_a_broken_connection_is_noticed_at_once(guest: FakeSshGuest, channel: SshChannel) -> None:
    assert alive(channel)
    cutter = threading.Timer(0.2, guest.cut)
    cutter.start()
    started = time.monotonic()
    with pytest.raises(ChannelLost, match="the connection ended") as caught:
        channel.run("echo begun; sleep 20", timeout_s=15)
    cutter.join()
    assert time.monotonic() - started < 10
    assert "begun" in str(caught.value)
    with pytest.raises(ChannelLost, match="not connected"):
        channel.run("true", timeout_s=5)
    channel.connect(10)
    assert alive(channel)
    assert channel.logins == 2


@pytest.mark.parametrize("stdin", ["", "x" * 6_000_000], ids=["short", "six megabytes"])
def test_a_frozen_guest_is_noticed_by_the_deadline(guest: FakeSshGuest, channel: SshChannel, stdin: str) -> None:
    assert alive(channel)
    guest.frozen.set()
    started = time.monotonic()
    with pytest.raises(CommandTimeout):
        channel.run("cat", stdin=stdin, timeout_s=0.7)
    with pytest.raises(GuestError):
        channel.run("true", timeout_s=0.5)
    channel.close()
    assert time.monotonic() - started < 10


def test_a_guest_that_freezes_before_the_shell_is_noticed(guest: FakeSshGuest, channel: SshChannel) -> None:
    guest.freeze_before_exec = True
    started = time.monotonic()
    with pytest.raises(CommandTimeout):
        channel.run("true", timeout_s=0.7)
    assert time.monotonic() - started < 10


def test_a_guest_that_wakes_up_is_used_over_the_same_login(guest: FakeSshGuest, channel: SshChannel) -> None:
    assert alive(channel)
    guest.frozen.set()
    with pytest.raises(CommandTimeout):
        channel.run("echo slow", timeout_s=0.3)
    guest.frozen.clear()
    assert alive(channel)
    assert channel.logins == 1


class SlowShell(PersistentShell):
    """A shell that can be closed only after the connection has ended."""

    def __init__(self, shell: PersistentShell, channel: SshChannel) -> None:
        vars(self).update(vars(shell))
        self._connection = channel
        self.closed = False

    def close(self) -> None:
        def ended(_: Deadline) -> bool | Pending:
            return Pending("connected") if self._connection.connected else True

        self.closed = wait_until(ended, Deadline(20), what="the connection ends", interval_s=0.02)


def test_closing_an_abandoned_shell_ends_in_time(open_channel: Callable[..., SshChannel]) -> None:
    channel = open_channel(close_s=0.1)
    channel.connect(10)
    assert alive(channel)
    shell = channel._shells[False] = SlowShell(channel._shells[False], channel)
    with pytest.raises(CommandTimeout):
        channel.run("sleep 5", timeout_s=0.2)
    assert shell.closed


def test_a_command_with_endless_output_is_aborted(open_channel: Callable[..., SshChannel]) -> None:
    channel = open_channel(max_output_bytes=1 << 20)
    channel.connect(10)
    with pytest.raises(OutputTooLarge, match="`yes`"):
        channel.run("yes", timeout_s=20)
    assert alive(channel)


def test_closing_from_another_thread_ends_a_command(channel: SshChannel) -> None:
    closer = threading.Timer(0.2, channel.close)
    closer.start()
    started = time.monotonic()
    with pytest.raises(ChannelLost):
        channel.run("sleep 20", timeout_s=15)
    closer.join()
    assert time.monotonic() - started < 10


def test_threads_take_turns(guest: FakeSshGuest, channel: SshChannel) -> None:
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = channel.run(f"echo {number}; sleep 0.02; echo {number}", timeout_s=20).stdout

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"{number}\n{number}\n" for number in range(8)}
    assert len(guest.commands) == 1


def test_only_packaged_programs_are_found(shared_channel: SshChannel) -> None:
    for as_root in (False, True):
        found = shared_channel.run("echo $PATH", timeout_s=10, as_root=as_root).stdout
        assert found == "/usr/sbin:/usr/bin:/sbin:/bin\n"


@pytest.mark.parametrize("as_root", [False, True])
def test_what_the_profile_sets_does_not_reach_a_command(
    guest: FakeSshGuest, channel: SshChannel, monkeypatch: pytest.MonkeyPatch, as_root: bool
) -> None:
    for name in ("LD_PRELOAD", "LD_LIBRARY_PATH", "ENV", "BASH_ENV", "PYTHONPATH"):
        monkeypatch.setenv(name, "" if name.startswith("LD_") else "/nowhere")
    found = channel.run("env", timeout_s=10, as_root=as_root).stdout.splitlines()
    assert {line.partition("=")[0] for line in found} <= {"PATH", "HOME", "USER", "PWD", "SHLVL", "_", "OLDPWD"}


def test_root_has_its_own_persistent_shell(guest: FakeSshGuest, channel: SshChannel) -> None:
    home = channel.run("echo $HOME", timeout_s=10).stdout
    for number in range(3):
        assert channel.run(f"echo {number} $USER", timeout_s=10, as_root=True).stdout == f"{number} root\n"
        assert channel.run("echo $HOME", timeout_s=10).stdout == home
    assert guest.commands == [SH, ROOT_SH]
    assert (channel.logins, len(guest.commands)) == (1, 2)


def test_an_account_that_may_not_become_root_is_its_own_error(guest: FakeSshGuest, channel: SshChannel) -> None:
    guest.sudo = "sh -c 'sleep 0.2; echo sudo: a password is required >&2; exit 1' "  # after the guest's word
    for _ in range(2):
        with pytest.raises(NoRoot, match="may not become root") as caught:
            channel.run("id", timeout_s=10, as_root=True)
        assert "a password is required" in caught.value.detail
    assert alive(channel)


def test_leftovers_of_a_root_command_are_killed(guest: FakeSshGuest, channel: SshChannel, tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    with pytest.raises(CommandTimeout):
        channel.run(f"while :; do date +%N > {beat}; sleep 0.05; done", timeout_s=1.0, as_root=True)
    assert channel.run("echo well", timeout_s=10, as_root=True).ok
    _assert_stopped(beat)


def test_a_private_key_in_a_command_is_not_shown(open_channel: Callable[..., SshChannel]) -> None:
    pem = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"
    channel = open_channel()
    channel.connect(10)
    with pytest.raises(CommandTimeout) as caught:
        channel.run(f"echo '{pem}'; sleep 5", timeout_s=0.3)
    assert "AAAA" not in str(caught.value)


@pytest.mark.parametrize(("refused", "accepted"), [({"root"}, False), (set(), True)])
def test_a_login_of_another_account_is_tried(
    guest: FakeSshGuest, channel: SshChannel, refused: set[str], accepted: bool
) -> None:
    guest.refused = refused
    guest.methods = "publickey,password"
    assert channel.try_login("root", 10) == (("publickey", "password"), accepted)
    assert [one.partition(" ")[0] for one in guest.offered[-2:]] == ["none", "root"]
    assert channel.run("echo still here", timeout_s=10).stdout == "still here\n"


def test_the_labs_key_is_known_as_it_stands_in_authorized_keys(guest: FakeSshGuest, channel: SshChannel) -> None:
    assert channel.lab_key.split() == ["ssh-ed25519", guest.authorized]


class Trouble:
    """A watch that raises once it is set."""

    def __init__(self) -> None:
        self.seen = threading.Event()

    def __call__(self) -> None:
        if self.seen.is_set():
            raise HostError("the hypervisor's process ended", remedy="-")


def test_a_command_in_a_guest_whose_process_ended_is_not_waited_for(guest: FakeSshGuest, target: SshTarget) -> None:
    trouble = Trouble()
    channel = SshChannel(target, SYSTEM_CLOCK, trouble)
    channel.connect(10)
    assert alive(channel)
    guest.frozen.set()
    trouble.seen.set()
    with pytest.raises(HostError, match="the hypervisor's process ended"):
        channel.run("cloud-init status --wait", timeout_s=30)
    assert not channel.connected
    channel.close()


def test_a_login_to_a_guest_whose_process_ended_is_not_waited_for(guest: FakeSshGuest, target: SshTarget) -> None:
    trouble = Trouble()
    trouble.seen.set()
    guest.mute = True
    with pytest.raises(HostError, match="the hypervisor's process ended"):
        SshChannel(replace(target, connect_timeout_s=30), SYSTEM_CLOCK, trouble).connect(30)
