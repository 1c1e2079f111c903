"""The registry's process, with another program in place of docker-registry."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from needs import posix_sh

from harness.airgap.registry_login import RegistryLogin
from harness.airgap.registry_server import (
    NAME,
    PROXY,
    RegistryFiles,
    configuration_text,
    running_proxy,
    running_registry,
    start_proxy,
    start_registry,
)
from harness.core.deadline import Deadline
from harness.core.errors import HostError
from harness.guest.lab_keys import ensure_registry_certificate
from harness.ownership.ledger import Ledger, ProcessEntry
from harness.ownership.processes import remove_process
from harness.system.process_identity import identity

from .conftest import LOCAL, FakeRegistry

LISTENS = "listening on 127.0.0.1:40001, tls"
FATAL = 'level=fatal msg="listen tcp 127.0.0.1:40001: bind: address already in use"'


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger; the processes that it holds at the end are ended."""
    held = Ledger(tmp_path / "ledger.json", "lab")
    yield held
    for entry in held.read().all_of(ProcessEntry):
        remove_process(entry)


@pytest.fixture
def files(tmp_path: Path, seeds: Path, login: RegistryLogin) -> RegistryFiles:
    """Files of a registry at the loopback's address."""
    certificate, key = ensure_registry_certificate(seeds, LOCAL)
    return RegistryFiles(tmp_path, LOCAL, seeds / "ca/ca.crt", certificate, key, login)


def program_that_prints(directory: Path, line: str) -> Path:
    """Return a program that prints a line and then sleeps."""
    program = directory / "docker-registry"
    program.write_text(f"#!{sys.executable}\nimport time\nprint({line!r}, flush=True)\ntime.sleep(60)\n")
    program.chmod(0o755)
    return program


def entry_of(ledger: Ledger) -> ProcessEntry:
    (entry,) = ledger.read().all_of(ProcessEntry)
    return entry


def test_the_configuration_has_images_in_memory_tls_on_the_loopback_and_a_login(files: RegistryFiles) -> None:
    text = configuration_text(files)
    settings = json.loads(text)
    assert settings["storage"] == {"inmemory": {}}
    assert settings["http"]["addr"] == "127.0.0.1:0"
    assert settings["http"]["tls"] == {"certificate": str(files.certificate), "key": str(files.key)}
    assert settings["auth"]["htpasswd"]["path"] == str(files.login.htpasswd)
    assert files.login.password.reveal() not in text


@posix_sh
def test_the_port_is_read_from_the_log_and_the_process_is_in_the_ledger(
    tmp_path: Path, ledger: Ledger, files: RegistryFiles
) -> None:
    program = program_that_prints(tmp_path, LISTENS)
    assert start_registry(program, files, ledger, Deadline(30)) == 40001
    first = entry_of(ledger)
    assert (first.name, first.port, first.argv[0]) == (NAME, 40001, str(program))
    assert "127.0.0.1:40001" in json.loads(files.login.client.read_text())["auths"]
    assert psutil.pid_exists(first.pid)
    start_registry(program, files, ledger, Deadline(30))
    assert entry_of(ledger).pid != first.pid
    assert not psutil.pid_exists(first.pid), "an earlier registry is stopped first"


@posix_sh
def test_a_registry_that_ends_is_an_error_with_its_reason(tmp_path: Path, ledger: Ledger, files: RegistryFiles) -> None:
    with pytest.raises(HostError, match="address already in use"):
        start_registry(program_that_prints(tmp_path, FATAL), files, ledger, Deadline(30))
    assert entry_of(ledger).port == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such limit")
def test_a_registry_that_grows_ends_before_the_host_lacks_memory(
    tmp_path: Path, ledger: Ledger, files: RegistryFiles
) -> None:
    start_registry(program_that_prints(tmp_path, LISTENS), files, ledger, Deadline(30))
    limit, _ = psutil.Process(entry_of(ledger).pid).rlimit(psutil.RLIMIT_DATA)
    assert limit == max(1 << 30, psutil.virtual_memory().total // 4)


def test_a_registry_counts_as_running_only_with_its_process_certificate_and_login(
    tmp_path: Path, registry: int, seeds: Path, files: RegistryFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path / "other.json", "lab")
    other, _ = ensure_registry_certificate(seeds, "192.0.2.1")
    me = identity(os.getpid())
    assert running_registry(ledger, files) == 0, "the ledger has no process"
    ledger.write(ProcessEntry(NAME, ("registry",), me["pid"], me["created"], registry))
    assert running_registry(ledger, files) == registry
    assert running_registry(ledger, replace(files, certificate=other)) == 0
    ledger.write(ProcessEntry(NAME, ("registry",), me["pid"], me["created"] - 1000, registry))
    assert running_registry(ledger, files) == 0, "another process has its id"
    ledger.write(ProcessEntry(NAME, ("registry",), me["pid"], me["created"], registry))
    monkeypatch.setattr(FakeRegistry, "login", "")
    assert running_registry(ledger, files) == 0, "an older version started it, for everybody"


def test_a_proxy_of_a_registry_is_started_kept_and_noted(registry: int, ledger: Ledger, files: RegistryFiles) -> None:
    port = start_proxy(registry, files, ledger, 0, Deadline(30))
    assert running_proxy(ledger, files) == port
    assert entry_of(ledger).name == PROXY
    assert running_registry(ledger, files) == 0
    assert files.login.password.reveal() not in " ".join(entry_of(ledger).argv)
    start_proxy(1, files, ledger, port, Deadline(30))
    assert entry_of(ledger).port == port, "the earlier one has ended"
    assert running_proxy(ledger, files) == 0, "no registry behind it"
