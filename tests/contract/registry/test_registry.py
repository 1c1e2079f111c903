"""The real registry program: started, pushed to, ended by the ledger."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.airgap.registry_client import Endpoint, push
from harness.airgap.registry_image import tiny_image
from harness.airgap.registry_package import find_program
from harness.airgap.registry_server import RegistryFiles, running_registry, start_registry
from harness.core.deadline import Deadline
from harness.core.errors import HostError
from harness.core.layout import cache_directory
from harness.guest.lab_keys import ensure_keys, ensure_registry_certificate
from harness.ownership.ledger import Ledger, ProcessEntry
from harness.ownership.processes import remove_process

PROGRAM = find_program(cache_directory())
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no docker-registry here: lab setup --with-deps")
ADDRESS = "192.168.6.1"
SEEDS = "the lab's seeds"


def start(tmp_path: Path, name: str, ledger: Ledger, port: int = 0) -> int:
    assert PROGRAM is not None
    ensure_keys(tmp_path / SEEDS, ["m"])
    certificate, key = ensure_registry_certificate(tmp_path / SEEDS, ADDRESS)
    files = RegistryFiles(tmp_path / f"{name}.yml", tmp_path / f"{name}.log", certificate, key)
    return start_registry(PROGRAM, files, ledger, port, Deadline(60))


def entry_of(ledger: Ledger) -> ProcessEntry:
    (process,) = ledger.read().all_of(ProcessEntry)
    return process


def test_it_takes_an_image_over_a_verified_connection_and_ends_by_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lab-ledger.json", "lab")
    port = start(tmp_path, "one", ledger)
    first = entry_of(ledger)
    try:
        push(Endpoint("127.0.0.1", port, ADDRESS, tmp_path / SEEDS / "ca/ca.crt"), "lab/probe", "run", tiny_image("x"))
        with pytest.raises(HostError, match="certificate verify failed"):
            push(Endpoint("127.0.0.1", port, "10.0.0.1", tmp_path / SEEDS / "ca/ca.crt"), "a/b", "c", tiny_image("x"))
        listening = [item.laddr.ip for item in psutil.Process(first.pid).net_connections() if item.status == "LISTEN"]
        assert listening == ["127.0.0.1"]
        assert psutil.Process(first.pid).ppid() == os.getpid()
        assert start(tmp_path, "two", ledger, port) == port, "the earlier one is ended, its port is free"
        assert not psutil.pid_exists(first.pid)
    finally:
        remove_process(entry_of(ledger))
    assert not psutil.pid_exists(entry_of(ledger).pid)


def test_one_whose_session_died_before_it_noted_the_id_is_found_by_its_configuration(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lab-ledger.json", "lab")
    start(tmp_path, "one", ledger)
    noted = entry_of(ledger)
    remove_process(ProcessEntry(noted.name, noted.argv))
    assert not psutil.pid_exists(noted.pid)


def test_one_that_serves_with_our_certificate_is_kept_and_any_other_is_not(tmp_path: Path) -> None:
    ledger, authority = Ledger(tmp_path / "lab-ledger.json", "lab"), tmp_path / SEEDS / "ca/ca.crt"
    port = start(tmp_path, "it's one", ledger)
    certificate, _ = ensure_registry_certificate(tmp_path / SEEDS, ADDRESS)

    def running() -> int:
        return running_registry(ledger, ADDRESS, authority, certificate)

    noted = entry_of(ledger)
    try:
        assert noted.port == port
        assert running() == port
        assert running_registry(Ledger(tmp_path / "other.json", "other"), ADDRESS, authority, certificate) == 0
        assert running_registry(ledger, "10.0.0.1", authority, certificate) == 0
        ledger.write(replace(noted, started=noted.started - 100))
        assert running() == 0, "another process has that id"
        ledger.write(noted)
        certificate.unlink()
        ensure_registry_certificate(tmp_path / SEEDS, ADDRESS)
        assert running() == 0, "it would be started with another certificate now"
    finally:
        remove_process(noted)
    assert running() == 0


def test_a_port_that_somebody_has_is_an_error_with_the_registrys_words(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lab-ledger.json", "lab")
    port = start(tmp_path, "one", ledger)
    other = Ledger(tmp_path / "other-ledger.json", "other")
    try:
        with pytest.raises(HostError, match="address already in use"):
            start(tmp_path, "two", other, port)
    finally:
        remove_process(entry_of(ledger))
        remove_process(entry_of(other))
