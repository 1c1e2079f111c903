from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from fake_clock import FakeClock
from run_samples import WORKER

from harness.core.deadline import Clock, Deadline
from harness.core.errors import DeadlineExpired, GuestError
from harness.guest.channel import ChannelLost, CommandResult, CommandTimeout, ConnectFailed
from harness.guest.nonce import NONCE_COMMAND
from harness.guest.ssh import SshChannel
from harness.guest.ssh_connection import SshTarget
from harness.guest.watched import Watch
from harness.machine.context import RunContext
from harness.machine.ssh_session import Guest, SshSession
from harness.machine.waiting import Waiting

from .conftest import Vm, vm_of

BOOT, NEXT_BOOT = "boot-1", "boot-2"


@dataclass
class FakeChannel:
    """A guest that answers the nonce command from memory.

    Attributes:
        serial: The serial number of its firmware.
        boot_id: Its boot.
        refused: How many connections it refuses first.
        connects: The time limit of each connection.
        commands: Command and time limit of each call.
        hangs: Whether no command ends in time.
        on_connect: Called with the time limit of each connection.
        watch: The session's look at the host.
    """

    serial: str
    boot_id: str = BOOT
    refused: int = 0
    logins: int = 0
    connected: bool = False
    host_key: str = "ssh-ed25519 AAAA"
    connects: list[float] = field(default_factory=list)
    commands: list[tuple[str, float]] = field(default_factory=list)
    hangs: bool = False
    on_connect: Callable[[float], None] = lambda _: None
    watch: Watch = lambda: None

    def connect(self, timeout_s: float) -> None:
        self.connects.append(timeout_s)
        self.on_connect(timeout_s)
        if self.refused:
            self.refused -= 1
            raise ConnectFailed("connection refused", remedy="-", detail="port 22\nmore")
        self.logins, self.connected = self.logins + 1, True

    def run(self, command: str, *, timeout_s: float, as_root: bool = False) -> CommandResult:
        self.commands.append((command, timeout_s))
        if not self.connected:
            raise ChannelLost("not connected", remedy="-")
        if self.hangs:
            raise CommandTimeout(command, where="w", timeout_s=timeout_s)
        output = f"{self.boot_id}\n{self.serial}\n" if command == NONCE_COMMAND else "hello\n"
        return CommandResult(command, 0, output, "", 0.1)

    def close(self) -> None:
        self.connected = False


@dataclass
class Bench:
    session: SshSession
    channel: FakeChannel
    vm: Vm
    clock: FakeClock
    logins: list[str]
    running: list[bool]

    def connect(self, seconds: float = 600, not_boot_id: str | None = None) -> None:
        self.session.connect(Deadline(seconds, self.clock), not_boot_id=not_boot_id)

    @property
    def states(self) -> list[object]:
        return [event["text"] for event in self.vm.journalled("state")]


@pytest.fixture
def bench_of(context: RunContext, clock: FakeClock) -> Callable[..., Bench]:
    def make(*, sends_events: bool = True, serial: str = "") -> Bench:
        vm, plan, logins = vm_of(context, clock, sends_events=sends_events), context.plan.machine(WORKER), list[str]()
        running = [True]
        nonce = plan.nonce
        channel = FakeChannel(serial or f"VMware-{nonce[:16]}-{nonce[16:]}")

        def open_channel(target: SshTarget, _: Clock, watch: Watch) -> SshChannel:
            assert target.name == WORKER
            channel.watch = watch
            return cast(SshChannel, channel)

        session = SshSession(
            Guest(plan, SshTarget(WORKER, "192.168.6.11", 22, "lab", Path("key"), None), 120),
            console=vm.console,
            waiting=Waiting(WORKER, vm.console, vm.journal, lambda _: running[-1], clock),
            journal=vm.journal,
            clock=clock,
            on_login=lambda boot_id, _: logins.append(boot_id),
            open_channel=open_channel,
        )
        return Bench(session, channel, vm, clock, logins, running)

    return make


def test_a_guest_that_sends_events_is_not_tried_before_sshd_listens(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.vm.send("boot", BOOT)
    with pytest.raises(DeadlineExpired, match="an SSH login: not within 60 s"):
        bench.connect(60)
    assert bench.channel.connects == []
    bench.vm.send("ssh-ready", BOOT)
    bench.connect()
    assert bench.session.connected
    assert bench.logins == [BOOT]
    assert bench.states[-1] == "logged in by SSH"
    assert [limit for _, limit in bench.channel.commands] == [30.0]


def test_a_guest_without_events_is_tried_every_twenty_seconds(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(sends_events=False)
    bench.channel.refused = 3
    bench.connect()
    assert len(bench.channel.connects) == 4
    assert 160 <= bench.clock.now < 162
    assert bench.states[0] == "connection refused: port 22"


def test_a_guest_that_is_too_slow_for_an_attempt_gets_twice_the_time(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(sends_events=False)
    bench.channel.refused, bench.channel.on_connect = 5, bench.clock.sleep
    bench.connect(3000)
    assert bench.channel.connects == [30, 60, 120, 240, 240, 240]


def test_attempts_that_fail_at_once_get_no_longer_time(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(sends_events=False)
    bench.channel.refused = 3
    bench.connect()
    assert bench.channel.connects == [30, 30, 30, 30]


def test_a_booted_guest_whose_sshd_does_not_answer_ends_the_wait(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.channel.refused = 9
    bench.vm.send("boot-complete", BOOT)
    with pytest.raises(GuestError, match="the guest has booted, and its sshd does not answer"):
        bench.connect()


def test_another_machine_at_the_address_is_an_error(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(serial="VMware-" + "f" * 16 + "-" + "f" * 16)
    bench.vm.send("ssh-ready", BOOT)
    with pytest.raises(GuestError, match=r"another machine answers at 192\.168\.6\.11:22"):
        bench.connect()
    assert not bench.session.connected
    assert bench.logins == []


def test_the_boot_before_the_restart_is_not_accepted(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(sends_events=False)
    with pytest.raises(DeadlineExpired) as raised:
        bench.connect(50, not_boot_id=BOOT)
    assert raised.value.last_seen == "still the boot before the restart"
    bench.channel.boot_id = NEXT_BOOT
    bench.connect(not_boot_id=BOOT)
    assert bench.logins == [NEXT_BOOT]


def test_a_boot_that_sent_no_event_is_not_accepted(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.vm.send("ssh-ready", NEXT_BOOT)
    with pytest.raises(DeadlineExpired) as raised:
        bench.connect(50)
    assert raised.value.last_seen == "a boot that sent no event"


def test_an_event_of_the_earlier_boot_does_not_count(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.vm.send("ssh-ready", BOOT)
    with pytest.raises(DeadlineExpired):
        bench.connect(50, not_boot_id=BOOT)
    assert bench.channel.connects == []


def test_without_a_login_nothing_can_be_run(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    assert not bench.session.connected
    bench.session.close()
    with pytest.raises(GuestError, match="no SSH connection to this machine"):
        bench.session.run("true")
    with pytest.raises(GuestError, match="no SSH connection to this machine"):
        bench.session.reconnect(Deadline(10, bench.clock))


@pytest.mark.parametrize(
    ("timeout_s", "within_s", "limit_s"),
    [(None, None, 120), (5, None, 5), (None, 30, 30), (60, 30, 30), (5, 30, 5), (None, 0.1, 1)],
)
def test_a_command_ends_with_the_wait_that_it_belongs_to(
    bench_of: Callable[..., Bench], timeout_s: float | None, within_s: float | None, limit_s: float
) -> None:
    bench = bench_of()
    bench.vm.send("ssh-ready", BOOT)
    bench.connect()
    within = None if within_s is None else Deadline(within_s, bench.clock)
    assert bench.session.run("echo hello", timeout_s, within=within).stdout == "hello\n"
    assert bench.channel.commands[-1] == ("echo hello", limit_s)


@pytest.mark.parametrize(
    ("timeout_s", "within_s", "setting"),
    [(None, None, "guest_command"), (5, 30, "guest_command"), (None, 30, "iso_copy"), (60, 30, "iso_copy")],
)
def test_the_remedy_of_a_command_that_did_not_end_names_the_setting_that_ended_it(
    bench_of: Callable[..., Bench], timeout_s: float | None, within_s: float | None, setting: str
) -> None:
    bench = bench_of()
    bench.vm.send("ssh-ready", BOOT)
    bench.connect()
    bench.channel.hangs = True
    within = None if within_s is None else Deadline(within_s, bench.clock, setting="deadlines_s.iso_copy")
    with pytest.raises(CommandTimeout) as raised:
        bench.session.run("cat marker", timeout_s, within=within)
    assert f"`deadlines_s.{setting}` in the lab file" in raised.value.remedy
    assert ("read the console: " in raised.value.remedy) is (setting == "iso_copy")


def test_a_lost_connection_is_restored_and_an_open_one_is_kept(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.vm.send("ssh-ready", BOOT)
    bench.connect()
    bench.session.reconnect(Deadline(10, bench.clock))
    assert bench.channel.logins == 1
    bench.session.close()
    bench.session.reconnect(Deadline(10, bench.clock))
    assert (bench.channel.logins, bench.channel.connects[-1]) == (2, 10)


def test_a_login_that_gets_no_answer_is_reported_before_it_ends(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.vm.send("ssh-ready", BOOT)

    def wait(_: float) -> None:
        for _ in range(7):
            bench.channel.watch()
            bench.clock.sleep(1)
        assert bench.states[-1] == "no answer yet: k3s-worker1 (lab@192.168.6.11:22)"

    bench.channel.on_connect = wait
    bench.connect()
    bench.clock.sleep(60)
    bench.channel.watch()
    assert bench.states[-1] == "logged in by SSH"


def test_a_vm_that_goes_off_during_a_login_ends_it(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    bench.vm.send("ssh-ready", BOOT)

    def wait(_: float) -> None:
        bench.running.append(False)
        for _ in range(9):
            bench.channel.watch()
            bench.clock.sleep(1)

    bench.channel.on_connect = wait
    with pytest.raises(GuestError, match="the machine went off"):
        bench.connect()
