"""What runs in a guest, run here: against services on this host's loopback."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from needs import posix_sh

from harness.airgap import guest_probe, questions
from harness.airgap.guest_probe import answer_all
from harness.airgap.questions import Pull, Question, registry_question
from harness.registry.image import digest, tiny_image
from harness.seed.keys import ensure_keys, ensure_registry_certificate

LOCAL = "127.0.0.1"
IMAGE = tiny_image("airgap-lab run-1\n")
PULL = Pull("lab/probe", "run-1", digest(IMAGE.manifest), digest(IMAGE.layer))


class FakeRegistry(http.server.BaseHTTPRequestHandler):
    """Has one image."""

    def do_GET(self) -> None:
        layer = json.loads(IMAGE.manifest)["layers"][0]["digest"]
        parts = {
            "/v2/": b"{}",
            "/v2/lab/probe/manifests/run-1": IMAGE.manifest,
            f"/v2/lab/probe/blobs/{layer}": IMAGE.layer,
        }
        body = parts.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("seeds")
    ensure_keys(directory, ["m"])
    return directory


@pytest.fixture
def registry(seeds: Path) -> Iterator[int]:
    certificate, key = ensure_registry_certificate(seeds, LOCAL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    everywhere = ""  # every address of the loopback leads here, and the certificate names one
    server = http.server.ThreadingHTTPServer((everywhere, 0), FakeRegistry)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join(5)


def ask(question: dict[str, object]) -> dict[str, Any]:
    (answer,) = answer_all([question])
    return answer


def asked(kind: str, port: int) -> dict[str, object]:
    return {"kind": kind, "address": LOCAL, "port": port, "seconds": 2}


def test_a_port_that_listens_is_open_and_one_that_does_not_is_closed() -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = server.getsockname()[1]
        assert ask(asked("tcp", port))["open"] is True
    answer = ask(asked("tcp", port))
    assert answer["open"] is False
    assert "refused" in answer["said"].lower()


@pytest.mark.parametrize("kind", ["dns", "quic", "ntp"])
def test_a_datagram_that_is_answered_is_open(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOCAL, 0))

        def answer_once() -> None:
            server.recvfrom(2048)  # the first one is lost
            data, sender = server.recvfrom(2048)
            server.sendto(data[:2], sender)

        monkeypatch.setattr(guest_probe, "_AGAIN_S", 0.2)
        thread = threading.Thread(target=answer_once, daemon=True)
        thread.start()
        assert ask(asked(kind, server.getsockname()[1])) == {"open": True, "tried": True, "said": "2 bytes"}
        thread.join(5)


@pytest.mark.parametrize("kind", ["dns", "quic", "ntp"])
def test_a_datagram_that_nobody_answers_is_closed(kind: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOCAL, 0))
        assert ask({**asked(kind, server.getsockname()[1]), "seconds": 0.2})["open"] is False


@pytest.mark.parametrize(("error", "tried"), [(PermissionError(1, "not permitted"), False), (TimeoutError(), True)])
def test_a_question_that_the_guest_forbids_itself_is_not_tried(
    monkeypatch: pytest.MonkeyPatch, error: OSError, tried: bool
) -> None:
    def forbid(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(guest_probe, "_datagram", forbid)
    answer = ask(asked("ntp", 123))
    assert (answer["open"], answer["tried"]) == (False, tried)


def test_the_image_is_pulled_with_the_certificate_verified(registry: int, seeds: Path) -> None:
    answer = ask(registry_question(IPv4Address(LOCAL), registry, str(seeds / "ca/ca.crt"), PULL))
    assert answer["open"] is True, answer
    assert json.loads(answer["said"]) == {"manifest": PULL.manifest, "layer": PULL.layer}


def test_a_certificate_of_an_unknown_authority_is_no_answer(registry: int) -> None:
    answer = ask(registry_question(IPv4Address(LOCAL), registry, "", PULL))
    assert answer["open"] is False
    assert "CERTIFICATE_VERIFY_FAILED" in answer["said"]


def test_a_certificate_of_another_address_is_no_answer(registry: int, seeds: Path) -> None:
    answer = ask(registry_question(IPv4Address("127.0.0.2"), registry, str(seeds / "ca/ca.crt"), PULL))
    assert answer["open"] is False
    assert "IP address mismatch" in answer["said"]


def test_an_image_that_is_not_there_is_no_answer(registry: int, seeds: Path) -> None:
    other = Pull("lab/probe", "run-2", PULL.manifest, PULL.layer)
    answer = ask(registry_question(IPv4Address(LOCAL), registry, str(seeds / "ca/ca.crt"), other))
    assert answer["open"] is False
    assert "404" in answer["said"]


@posix_sh
def test_the_command_runs_as_it_is_sent_and_answers_in_order() -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = server.getsockname()[1]
        wanted = [Question("a", "tcp", LOCAL, port, 2), Question("b", "dns", LOCAL, 9, 1)]
        registry = registry_question(IPv4Address(LOCAL), 9, "", None)
        line = questions.command(wanted, {**registry, "seconds": 1})
        program = f"exec {sys.executable} " + line.removeprefix("python3 ")
        done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, timeout=60, check=False)
    answers = questions.parse_answers(done.stdout, 3)
    assert [answer.open for answer in answers] == [True, False, False], done.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"open": true}]', '[{"open": true, "said": ""}]'])
def test_too_few_answers_are_none(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        questions.parse_answers(text, 1)


def test_every_way_out_is_asked_for_at_more_than_one_address() -> None:
    asked_for = questions.outward((IPv4Address("192.168.6.1"),), {"192.168.6.254": 40000})
    for way in ("no DNS", "no TCP", "no UDP", "no ICMP", "no NTP"):
        assert len({question.address for question in asked_for if question.way == way}) >= 2, way
    assert ("192.168.6.1", "dns") in {(question.address, question.kind) for question in asked_for}
    assert ("192.168.6.254", 40000) in {(question.address, question.port) for question in asked_for}
