"""The guest's probes, run against servers on this host's loopback."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from harness.airgap.guest_probe import KINDS, probe_all
from harness.airgap.probes import Pull, registry_probe
from harness.airgap.registry_image import digest

from .conftest import LOCAL, PULL


def ask(probe: dict[str, object], send: Callable[[dict[str, Any], float], str] | None = None) -> dict[str, Any]:
    """Run one probe; `send` takes the place of what its kind does."""
    kinds = {**KINDS, str(probe["kind"]): send} if send else KINDS
    (answer,) = probe_all([probe], kinds)
    return answer


def asked(kind: str, port: int) -> dict[str, object]:
    return {"kind": kind, "address": LOCAL, "port": port, "timeout_s": 2}


def test_a_port_that_listens_is_open_and_one_that_does_not_is_closed() -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = server.getsockname()[1]
        assert ask(asked("tcp", port))["open"] is True
    answer = ask(asked("tcp", port))
    assert answer["open"] is False
    assert "refused" in answer["detail"].lower()


@pytest.mark.parametrize("kind", ["dns", "quic", "ntp"])
def test_a_datagram_with_an_answer_is_open(kind: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOCAL, 0))

        def answer_once() -> None:
            server.recvfrom(2048)  # the first one is lost
            data, sender = server.recvfrom(2048)
            server.sendto(data[:2], sender)

        thread = threading.Thread(target=answer_once, daemon=True)
        thread.start()
        probe = {**asked(kind, server.getsockname()[1]), "resend_s": 0.2}
        assert ask(probe) == {"open": True, "tried": True, "detail": "2 bytes"}
        thread.join(5)


@pytest.mark.parametrize("kind", ["dns", "quic", "ntp"])
def test_a_datagram_without_an_answer_is_closed(kind: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOCAL, 0))
        assert ask({**asked(kind, server.getsockname()[1]), "timeout_s": 0.2})["open"] is False


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        ("dns", rb"..\x01\0\0\x01\0{6}\x07example\x03org\0\0\x01\0\x01"),  # RFC 1035, 4.1: recursion, one A record
        ("quic", rb"\xc0\x1a\x2a\x3a\x4a\x08.{8}\0{1186}"),  # RFC 9000, 14.1: no server answers less than 1200 bytes
        ("ntp", rb"\x23\0{47}"),  # RFC 5905, 7.3: version 4, mode 3 (client)
    ],
)
def test_a_datagram_is_one_that_a_server_answers(kind: str, whole: bytes) -> None:
    sent: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOCAL, 0))

        def answer() -> None:
            data, sender = server.recvfrom(2048)
            sent.append(data)
            server.sendto(b"well", sender)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert ask(asked(kind, server.getsockname()[1]))["detail"] == "4 bytes"
        thread.join(5)
    assert re.fullmatch(whole, sent[0], re.DOTALL)


class FakeEcho:
    """A raw socket that receives replies made of the sent echo request, then nothing."""

    def __init__(self, *answers: tuple[str, Callable[[bytes], bytes]]) -> None:
        self.sent = b""
        self._answers = list(answers)

    def __enter__(self) -> FakeEcho:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, seconds: float) -> None:
        pass

    def sendto(self, packet: bytes, _: object) -> None:
        self.sent = packet

    def recvfrom(self, _: int) -> tuple[bytes, tuple[str, int]]:
        if not self._answers:
            raise TimeoutError("timed out")
        sender, answer = self._answers.pop(0)
        return b"\x45" + bytes(19) + answer(self.sent), (sender, 0)


def reply(request: bytes) -> bytes:
    return bytes(4) + request[4:]


def foreign_reply(request: bytes) -> bytes:
    return bytes(4) + bytes(byte ^ 0xFF for byte in request[4:6]) + request[6:]


OTHERS = (LOCAL, bytes), (LOCAL, foreign_reply), ("192.168.6.1", reply)


@pytest.mark.parametrize(("answers", "opened"), [(OTHERS, False), ((*OTHERS, (LOCAL, reply)), True)])
def test_an_echo_is_the_reply_of_that_address_to_our_own_request(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[tuple[str, Callable[[bytes], bytes]], ...], opened: bool
) -> None:
    wire = FakeEcho(*answers)
    monkeypatch.setattr(socket, "socket", lambda *_: wire)
    assert ask({**asked("icmp", 0), "timeout_s": 0.2})["open"] is opened
    assert wire.sent[:2] == b"\x08\0"
    total = sum(struct.unpack(f">{len(wire.sent) // 2}H", wire.sent))
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF, "RFC 1071: a host drops what has another checksum"


@pytest.mark.parametrize(("error", "tried"), [(PermissionError(1, "not permitted"), False), (TimeoutError(), True)])
def test_a_question_that_the_guest_forbids_itself_is_not_tried(error: OSError, tried: bool) -> None:
    def forbid(*_: object) -> str:
        raise error

    answer = ask(asked("ntp", 123), forbid)
    assert (answer["open"], answer["tried"]) == (False, tried)


@pytest.mark.parametrize("retry", [True, False])
def test_a_peer_is_retried_while_it_boots_and_a_way_out_is_not(retry: bool) -> None:
    tried: list[float] = []

    def late(_: dict[str, object], seconds: float) -> str:
        tried.append(seconds)
        if len(tried) == 1:
            raise ConnectionRefusedError("refused")
        return "connected"

    assert ask({**asked("tcp", 22), "timeout_s": 10, "retry": retry}, late)["open"] is retry
    assert len(tried) == 1 + retry


def test_the_image_is_pulled_with_the_certificate_verified(registry: int, seeds: Path) -> None:
    answer = ask(registry_probe(IPv4Address(LOCAL), registry, str(seeds / "ca/ca.crt"), PULL))
    assert answer["open"] is True, answer
    assert json.loads(answer["detail"]) == {"manifest": PULL.manifest, "layer": PULL.layer}


def test_a_layer_is_identified_by_its_bytes_and_not_by_its_name(registry: int, seeds: Path) -> None:
    damaged = replace(PULL, repository="lab/damaged")
    answer = ask(registry_probe(IPv4Address(LOCAL), registry, str(seeds / "ca/ca.crt"), damaged))
    assert json.loads(answer["detail"]) == {"manifest": PULL.manifest, "layer": digest(b"other bytes")}


def test_a_certificate_of_an_unknown_authority_is_no_answer(registry: int) -> None:
    answer = ask(registry_probe(IPv4Address(LOCAL), registry, "", PULL))
    assert answer["open"] is False
    assert "CERTIFICATE_VERIFY_FAILED" in answer["detail"]


def test_a_certificate_of_another_address_is_no_answer(registry: int, seeds: Path) -> None:
    answer = ask(registry_probe(IPv4Address("127.0.0.2"), registry, str(seeds / "ca/ca.crt"), PULL))
    assert answer["open"] is False
    assert "IP address mismatch" in answer["detail"]


def test_an_image_that_is_not_there_is_no_answer(registry: int, seeds: Path) -> None:
    other = Pull("lab/probe", "run-2", PULL.manifest, PULL.layer)
    answer = ask(registry_probe(IPv4Address(LOCAL), registry, str(seeds / "ca/ca.crt"), other))
    assert answer["open"] is False
    assert "404" in answer["detail"]
