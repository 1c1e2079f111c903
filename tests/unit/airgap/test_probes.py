"""Probes of a guest, the command that runs them, and its output."""

from __future__ import annotations

import socket
import subprocess
import sys
from ipaddress import IPv4Address

import pytest
from needs import posix_sh

from harness.airgap import probes
from harness.airgap.probes import Probe, registry_probe

from .conftest import LOCAL


@posix_sh
def test_the_command_runs_as_it_is_sent_and_answers_in_order() -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = server.getsockname()[1]
        wanted = [Probe("a", "tcp", LOCAL, port, 2), Probe("b", "dns", LOCAL, 9, 1)]
        registry = registry_probe(IPv4Address(LOCAL), 9, "", None)
        line = probes.probe_command(wanted, {**registry, "timeout_s": 1})
        program = f"exec {sys.executable} " + line.removeprefix("python3 ")
        done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, timeout=60, check=False)
    answers = probes.parse_results(done.stdout, 3)
    assert [answer.open for answer in answers] == [True, False, False], done.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"open": true}]', '[{"open": true, "detail": ""}]'])
def test_too_few_answers_are_none(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        probes.parse_results(text, 1)


def test_every_way_out_is_probed_at_more_than_one_address() -> None:
    asked_for = probes.outward_probes((IPv4Address("192.168.6.1"),), {"192.168.6.254": 40000})
    for way in ("no DNS", "no TCP", "no UDP", "no ICMP", "no NTP"):
        assert len({probe.address for probe in asked_for if probe.check == way}) >= 2, way
    assert ("192.168.6.1", "dns") in {(probe.address, probe.kind) for probe in asked_for}
    assert ("192.168.6.254", 40000) in {(probe.address, probe.port) for probe in asked_for}


def test_every_peer_is_probed_by_icmp_and_ssh_with_retries() -> None:
    near = probes.peer_probes({"w1": IPv4Address("192.168.6.11"), "w2": IPv4Address("192.168.6.12")}, 2222)
    ways = {(probe.address, probe.kind, probe.port) for probe in near}
    assert ways == {(f"192.168.6.{host}", *way) for host in (11, 12) for way in (("icmp", 0), ("tcp", 2222))}
    assert all(probe.retry for probe in near)
