"""The registry's process, with another program in place of docker-registry."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from needs import posix_sh

from harness.airgap.registry_server import (
    NAME,
    RegistryFiles,
    configuration_text,
    running_registry,
    start_registry,
)
from harness.core.deadline import Deadline
from harness.core.errors import HostError
from harness.guest.lab_keys import ensure_registry_certificate
from harness.ownership.ledger import Ledger, ProcessEntry
from harness.ownership.processes import remove_process
from harness.system.process_identity import identity

from .conftest import LOCAL

LISTENS = "listening on 127.0.0.1:40001, tls"
FATAL = 'level=fatal msg="listen tcp 127.0.0.1:40001: bind: address already in use"'


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger; the processes that it holds at the end are ended."""
    held = Ledger(tmp_path / "ledger.json", "lab")
    yield held
    for entry in held.read().all_of(ProcessEntry):
        remove_process(entry)


def files_in(directory: Path) -> RegistryFiles:
    return RegistryFiles(*(directory / name for name in ("registry.yml", "registry.log", "crt", "key")))


def program_that_prints(directory: Path, line: str) -> Path:
    """Return a program that prints a line and then sleeps."""
    program = directory / "docker-registry"
    program.write_text(f"#!{sys.executable}\nimport time\nprint({line!r}, flush=True)\ntime.sleep(60)\n")
    program.chmod(0o755)
    return program


def entry_of(ledger: Ledger) -> ProcessEntry:
    (entry,) = ledger.read().all_of(ProcessEntry)
    return entry


def test_the_configuration_keeps_images_in_memory_and_listens_on_the_loopback_with_tls() -> None:
    settings = json.loads(configuration_text(0, Path("a.crt"), Path("a.key")))
    assert settings["storage"] == {"inmemory": {}}
    assert settings["http"] == {"addr": "127.0.0.1:0", "tls": {"certificate": "a.crt", "key": "a.key"}}


@posix_sh
def test_the_port_is_read_from_the_log_and_the_process_is_in_the_ledger(tmp_path: Path, ledger: Ledger) -> None:
    program = program_that_prints(tmp_path, LISTENS)
    assert start_registry(program, files_in(tmp_path), ledger, 0, Deadline(30)) == 40001
    first = entry_of(ledger)
    assert (first.name, first.port, first.argv[0]) == (NAME, 40001, str(program))
    assert psutil.pid_exists(first.pid)
    start_registry(program, files_in(tmp_path), ledger, 0, Deadline(30))
    assert entry_of(ledger).pid != first.pid
    assert not psutil.pid_exists(first.pid), "an earlier registry is stopped first"


@posix_sh
def test_a_registry_that_ends_is_an_error_with_its_reason(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(HostError, match="address already in use"):
        start_registry(program_that_prints(tmp_path, FATAL), files_in(tmp_path), ledger, 40001, Deadline(30))
    assert entry_of(ledger).port == 0


def test_a_registry_counts_as_running_only_with_its_process_and_its_certificate(
    tmp_path: Path, registry: int, seeds: Path
) -> None:
    ledger = Ledger(tmp_path / "other.json", "lab")
    certificate, _ = ensure_registry_certificate(seeds, LOCAL)
    other, _ = ensure_registry_certificate(seeds, "192.0.2.1")
    me = identity(os.getpid())

    def running(found: Path = certificate) -> int:
        return running_registry(ledger, LOCAL, seeds / "ca/ca.crt", found)

    assert running() == 0, "the ledger has no process"
    ledger.write(ProcessEntry(NAME, ("registry",), me["pid"], me["created"], registry))
    assert running() == registry
    assert running(other) == 0
    ledger.write(ProcessEntry(NAME, ("registry",), me["pid"], me["created"] - 1000, registry))
    assert running() == 0, "another process has its id"
