"""Answers and packets become checks."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from harness.airgap import checks, judge, probes
from harness.airgap.judge import Connection, HostRecord
from harness.airgap.pcap import Packet
from harness.airgap.probes import Probe, ProbeResult, Pull
from harness.core.verdict import Check, Status

SUBNET = IPv4Network("192.168.6.0/24")
GUEST, OUTSIDE = IPv4Address("192.168.6.10"), IPv4Address("198.51.100.7")
NEIGHBOUR = IPv4Address("192.168.6.11")
PULL = Pull("lab/probe", "run", "sha256:aa", "sha256:bb")
PULLED = ProbeResult(open=True, detail=json.dumps({"manifest": "sha256:aa", "layer": "sha256:bb"}))
SILENT = ProbeResult(open=False, detail="TimeoutError: timed out")
TRIED = Packet(GUEST, OUTSIDE, "udp", 4000, 53)
HOME = Connection("TCP", "ESTABLISHED", "192.168.6.10", "40000", "192.168.6.1", "5000")
FORWARD = Connection("TCP", "HOST_FORWARD", "127.0.0.1", "40001", "192.168.6.10", "22")


class TestRegistry:
    def test_a_verified_answer(self) -> None:
        assert judge.judge_registry(PULLED, "192.168.6.1:5000", "").status is Status.PASS

    def test_no_answer_of_a_registry_that_is_there_fails(self) -> None:
        check = judge.judge_registry(
            ProbeResult(open=False, detail="SSLCertVerificationError: …"), "192.168.6.1:5000", ""
        )
        assert check.status is Status.FAIL
        assert "SSLCertVerificationError" in check.seen

    def test_no_answer_without_a_registry_is_not_proven_with_the_reason(self) -> None:
        check = judge.judge_registry(SILENT, "192.168.6.1:5000", "this host has no docker-registry")
        assert check.status is Status.NOT_PROVEN
        assert "this host has no docker-registry" in check.seen

    def test_a_foreign_registry_that_answers_passes(self) -> None:
        assert (
            judge.judge_registry(ProbeResult(open=True, detail="{}"), "192.168.6.1:5000", "not ours").status
            is Status.PASS
        )


class TestPull:
    def test_the_image_of_this_run_to_the_byte(self) -> None:
        assert judge.judge_pull(PULLED, PULL, "").status is Status.PASS

    @pytest.mark.parametrize(
        "detail",
        [
            "{}",
            '{"manifest": "sha256:aa"}',
            '{"manifest": "sha256:aa", "layer": "sha256:cc"}',
            '{"manifest": "sha256:cc", "layer": "sha256:bb"}',
            "no JSON",
            "[]",
            "5",
            "[" * 200_000,
        ],
    )
    def test_anything_else_fails(self, detail: str) -> None:
        assert judge.judge_pull(ProbeResult(open=True, detail=detail), PULL, "").status is Status.FAIL

    @pytest.mark.parametrize("answer", [SILENT, replace(PULLED, open=False)])
    def test_no_answer_fails(self, answer: ProbeResult) -> None:
        assert judge.judge_pull(answer, PULL, "").status is Status.FAIL

    def test_without_an_image_nothing_is_proven(self) -> None:
        assert judge.judge_pull(PULLED, None, "no image was pushed").status is Status.NOT_PROVEN


class TestPeers:
    ASKED = Probe("peers answer", "icmp", "192.168.6.11")

    def test_all_answered(self) -> None:
        assert judge.judge_peers([(self.ASKED, PULLED)], {}).status is Status.PASS

    def test_a_silent_one_fails_and_is_named(self) -> None:
        check = judge.judge_peers([(self.ASKED, PULLED), (self.ASKED, SILENT)], {"w2": "blocked"})
        assert check.status is Status.FAIL
        assert "192.168.6.11" in check.seen

    def test_one_that_answers_icmp_and_refuses_tcp_fails_and_is_named(self) -> None:
        refused = ProbeResult(open=False, detail="ConnectionRefusedError")
        check = judge.judge_peers([(self.ASKED, PULLED), (replace(self.ASKED, kind="tcp"), refused)], {})
        assert check.status is Status.FAIL
        assert "tcp 192.168.6.11: ConnectionRefusedError" in check.seen

    def test_one_that_is_not_there_is_not_proven(self) -> None:
        check = judge.judge_peers([(self.ASKED, PULLED)], {"w2": "boot of w2"})
        assert (check.status, check.seen) == (Status.NOT_PROVEN, "w2: boot of w2")


class TestClosed:
    ASKED = Probe("no DNS", "dns", "8.8.8.8", 53)
    GONE_OUT = frozenset({("udp", "8.8.8.8", 53)})

    def judged(self, *asked: tuple[Probe, ProbeResult], attempts: frozenset[judge.Attempt] | None = GONE_OUT) -> Check:
        return judge.judge_closed(checks.NO_DNS, asked, attempts, SUBNET)

    @pytest.mark.parametrize("attempts", [GONE_OUT, None])
    def test_no_answer(self, attempts: frozenset[judge.Attempt] | None) -> None:
        assert self.judged((self.ASKED, SILENT), attempts=attempts).status is Status.PASS

    def test_an_answer_fails_and_is_named(self) -> None:
        check = self.judged((self.ASKED, SILENT), (self.ASKED, ProbeResult(open=True, detail="45 bytes")))
        assert check.status is Status.FAIL
        assert check.seen == "8.8.8.8 port 53: 45 bytes"

    def test_without_probes_nothing_is_proven(self) -> None:
        assert self.judged().status is Status.NOT_PROVEN

    @pytest.mark.parametrize(
        "other", [("tcp", "8.8.8.8", 53), ("udp", "8.8.8.8", 123), ("udp", "9.9.9.9", 53), ("icmp", "8.8.8.8", 0)]
    )
    def test_a_probe_that_the_record_lacks_proves_nothing(self, other: judge.Attempt) -> None:
        check = self.judged((self.ASKED, SILENT), attempts=frozenset({other}))
        assert check.status is Status.NOT_PROVEN
        assert check.seen == "1 of 1 probes did not leave the guest: 8.8.8.8 port 53: TimeoutError: timed out"

    @pytest.mark.parametrize("attempts", [GONE_OUT, None])
    def test_a_probe_that_the_guest_itself_forbids_proves_nothing(
        self, attempts: frozenset[judge.Attempt] | None
    ) -> None:
        forbidden = ProbeResult(open=False, detail="PermissionError: [Errno 1] Operation not permitted", tried=False)
        assert self.judged((self.ASKED, forbidden), attempts=attempts).status is Status.NOT_PROVEN

    @pytest.mark.parametrize("address", ["192.168.6.1", "2606:4700:4700::1111"])
    def test_probes_that_no_record_can_hold_are_not_missed(self, address: str) -> None:
        inward = replace(self.ASKED, address=address)
        assert self.judged((self.ASKED, SILENT), (inward, SILENT)).status is Status.PASS

    def test_attempts_are_those_of_that_guest(self) -> None:
        packets = (TRIED, replace(TRIED, source=NEIGHBOUR, target_port=123), Packet(GUEST, OUTSIDE, "icmp"))
        expected = frozenset({("udp", str(OUTSIDE), 53), ("icmp", str(OUTSIDE), 0)})
        assert judge.attempts_of(GUEST, HostRecord(packets, ())) == expected
        assert judge.attempts_of(GUEST, None) is None

    def test_every_kind_of_probe_has_its_protocol(self) -> None:
        assert {probe.kind for probe in probes.outward_probes((), {})} == set(probes.PROTOCOLS)


class TestRecord:
    GOOD = HostRecord((TRIED, Packet(OUTSIDE, GUEST, "tcp", 443, 4001, reset=True)), (HOME, FORWARD), ("a.pcap",))

    def judged(self, record: HostRecord | None, problem: str = "") -> Check:
        return judge.judge_record(record, problem, GUEST, SUBNET)

    def test_attempts_that_were_refused(self) -> None:
        check = self.judged(self.GOOD)
        assert (check.status, check.evidence) == (Status.PASS, ("a.pcap",))
        assert "1 attempts" in check.seen

    @pytest.mark.parametrize(
        "packet",
        [
            Packet(OUTSIDE, GUEST, "tcp", 443, 4001),
            Packet(OUTSIDE, GUEST, "udp", 53, 4000),
            Packet(OUTSIDE, GUEST, "icmp"),
        ],
    )
    def test_an_answer_from_outside_fails(self, packet: Packet) -> None:
        check = self.judged(replace(self.GOOD, packets=(*self.GOOD.packets, packet)))
        assert check.status is Status.FAIL
        assert f"came back: {packet}" in check.seen

    @pytest.mark.parametrize("target", ["198.51.100.7", "127.0.0.1", "10.0.0.1", "nonsense"])
    def test_a_connection_that_the_gateway_opened_for_the_guest_fails(self, target: str) -> None:
        opened = Connection("UDP", "239 sec", "192.168.6.10", "4000", target, "53")
        assert self.judged(replace(self.GOOD, connections=(opened,))).status is Status.FAIL

    @pytest.mark.parametrize(
        "packet", [Packet(NEIGHBOUR, GUEST, "tcp", 22, 4001), Packet(OUTSIDE, NEIGHBOUR, "udp", 53, 4000)]
    )
    def test_packets_of_a_peer_are_no_answer_to_this_guest(self, packet: Packet) -> None:
        assert self.judged(replace(self.GOOD, packets=(*self.GOOD.packets, packet))).status is Status.PASS

    def test_a_connection_for_a_peer_does_not_count_for_this_guest(self) -> None:
        opened = Connection("UDP", "239 sec", str(NEIGHBOUR), "4000", "198.51.100.7", "53")
        assert self.judged(replace(self.GOOD, connections=(opened,))).status is Status.PASS

    @pytest.mark.parametrize("packet", [replace(TRIED, source=NEIGHBOUR), replace(TRIED, target=NEIGHBOUR)])
    def test_a_record_without_an_attempt_of_this_guest_proves_nothing(self, packet: Packet) -> None:
        assert self.judged(replace(self.GOOD, packets=(packet,))).status is Status.NOT_PROVEN
        assert self.judged(HostRecord((), ())).status is Status.NOT_PROVEN

    def test_an_answer_without_an_attempt_on_the_record_fails(self) -> None:
        assert self.judged(HostRecord((Packet(OUTSIDE, GUEST, "udp", 53, 4000),), ())).status is Status.FAIL

    def test_no_record_is_not_proven_with_its_reason(self) -> None:
        check = self.judged(None, "VMware shows nothing")
        assert (check.status, check.seen) == (Status.NOT_PROVEN, "VMware shows nothing")


def test_a_remedy_fits_the_hypervisor_and_names_the_peer_that_is_away() -> None:
    for problem, part in (
        ("on VMware this lab does not start a registry", "--vmrun embedded"),
        ("none", "--with-deps"),
    ):
        assert part in judge.judge_pull(ProbeResult(open=False, detail="refused"), None, problem).remedy
    assert "k3s-worker1" in judge.judge_peers([], {"k3s-worker1": "boot failed"}).remedy
