"""The real registry program: started, pushed to, ended by the ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.airgap.guest_probe import _registry
from harness.airgap.registry_client import Endpoint, push, serves
from harness.airgap.registry_image import MANIFEST_TYPE, digest, tiny_image
from harness.airgap.registry_login import ensure_login
from harness.airgap.registry_package import find_program
from harness.airgap.registry_server import (
    NAME,
    RegistryFiles,
    running_proxy,
    running_registry,
    start_proxy,
    start_registry,
)
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


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger; the processes that it holds at the end are ended."""
    held = Ledger(tmp_path / "lab-ledger.json", "lab")
    yield held
    for entry in held.read().all_of(ProcessEntry):
        remove_process(entry)


def files_in(tmp_path: Path, name: str = "run") -> RegistryFiles:
    seeds, run = tmp_path / SEEDS, tmp_path / name
    run.mkdir(exist_ok=True)
    ensure_keys(seeds, ["m"])
    certificate, key = ensure_registry_certificate(seeds, ADDRESS)
    return RegistryFiles(run, ADDRESS, seeds / "ca/ca.crt", certificate, key, ensure_login(seeds))


def start(files: RegistryFiles, ledger: Ledger) -> int:
    assert PROGRAM is not None
    return start_registry(PROGRAM, files, ledger, Deadline(60))


def endpoint(files: RegistryFiles, port: int, login: str, name: str = ADDRESS) -> Endpoint:
    return Endpoint("127.0.0.1", port, name, files.authority, login)


def entry_of(ledger: Ledger, name: str = NAME) -> ProcessEntry:
    (process,) = (entry for entry in ledger.read().all_of(ProcessEntry) if entry.name == name)
    return process


def test_it_takes_an_image_over_a_verified_connection_and_ends_by_the_ledger(tmp_path: Path, ledger: Ledger) -> None:
    files = files_in(tmp_path)
    port = start(files, ledger)
    first = entry_of(ledger)
    push(endpoint(files, port, files.login.header), "lab/probe", "run", tiny_image("x"))
    with pytest.raises(HostError, match="certificate verify failed"):
        push(endpoint(files, port, files.login.header, "10.0.0.1"), "a/b", "c", tiny_image("x"))
    listening = [item.laddr.ip for item in psutil.Process(first.pid).net_connections() if item.status == "LISTEN"]
    assert listening == ["127.0.0.1"]
    assert psutil.Process(first.pid).ppid() == os.getpid()
    assert files.login.password.reveal() not in " ".join(psutil.Process(first.pid).cmdline())
    start(files_in(tmp_path, "two"), ledger)
    assert not psutil.pid_exists(first.pid), "the earlier one is ended"
    remove_process(entry_of(ledger))
    assert not psutil.pid_exists(entry_of(ledger).pid)


def test_others_neither_push_nor_pull_at_the_registrys_own_port(tmp_path: Path, ledger: Ledger) -> None:
    files = files_in(tmp_path)
    port = start(files, ledger)
    for login in ("", "Basic bGFiOmd1ZXNzZWQ="):
        with pytest.raises(HostError, match="401"):
            push(endpoint(files, port, login), "lab/probe", "run", tiny_image("evil"))
        assert not serves(endpoint(files, port, login), files.certificate)
    assert serves(endpoint(files, port, files.login.header), files.certificate)


def test_guests_pull_without_a_login_and_cannot_push_at_their_port(tmp_path: Path, ledger: Ledger) -> None:
    files, image = files_in(tmp_path), tiny_image("x")
    port = start(files, ledger)
    push(endpoint(files, port, files.login.header), "lab/probe", "run", image)
    door = start_proxy(port, files, ledger, 0, Deadline(60))
    probe = {"address": "127.0.0.1", "port": door, "authority": str(files.authority), "manifest": True}
    pulled = _registry({**probe, "repository": "lab/probe", "tag": "run", "type": MANIFEST_TYPE}, 20.0)
    assert json.loads(pulled) == {"manifest": digest(image.manifest), "layer": digest(image.layer)}
    for login in ("", files.login.header):
        with pytest.raises(HostError, match="501"):
            push(endpoint(files, door, login), "lab/probe", "run", tiny_image("evil"))
    assert running_proxy(ledger, files) == door
    remove_process(entry_of(ledger))
    assert running_proxy(ledger, files) == 0, "its registry has ended"


def test_one_whose_session_died_before_it_noted_the_id_is_found_by_its_configuration(
    tmp_path: Path, ledger: Ledger
) -> None:
    start(files_in(tmp_path), ledger)
    noted = entry_of(ledger)
    remove_process(ProcessEntry(noted.name, noted.argv))
    assert not psutil.pid_exists(noted.pid)


def test_one_that_serves_with_our_certificate_is_kept_and_any_other_is_not(tmp_path: Path, ledger: Ledger) -> None:
    files = files_in(tmp_path, "it's one")
    port = start(files, ledger)
    noted = entry_of(ledger)
    assert noted.port == port
    assert running_registry(ledger, files) == port
    assert running_registry(Ledger(tmp_path / "other.json", "other"), files) == 0
    assert running_registry(ledger, replace(files, name="10.0.0.1")) == 0
    ledger.write(replace(noted, started=noted.started - 100))
    assert running_registry(ledger, files) == 0, "another process has that id"
    ledger.write(noted)
    files.login.password_file.unlink()
    assert running_registry(ledger, replace(files, login=ensure_login(tmp_path / SEEDS))) == port, "it reads its file"
    files.certificate.unlink()
    ensure_registry_certificate(tmp_path / SEEDS, ADDRESS)
    assert running_registry(ledger, files) == 0, "it would be started with another certificate now"


def test_a_port_that_another_program_has_is_an_error_with_the_reason(tmp_path: Path, ledger: Ledger) -> None:
    files = files_in(tmp_path)
    port = start(files, ledger)
    with pytest.raises(HostError, match="already in use"):
        start_proxy(port, files, ledger, port, Deadline(60))
