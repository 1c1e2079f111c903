"""Start the registry.

Its process outlives the session and ends with the lab.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from harness.airgap.registry_client import Endpoint, serves
from harness.core.deadline import Deadline, Pending, wait_until
from harness.core.errors import HostError
from harness.core.layout import LAB_VARIABLE
from harness.ownership.ledger import Ledger, ProcessEntry
from harness.ownership.processes import remove_process
from harness.system.ports import LOOPBACK
from harness.system.process import start
from harness.system.process_identity import alive

NAME = "registry"
_LISTENS = re.compile(r"listening on 127\.0\.0\.1:(\d+), tls")
_ENDED = re.compile(r'level=fatal msg="?([^\n]*)')


@dataclass(frozen=True)
class RegistryFiles:
    """Files of the registry; `certificate` and `key` are PEM files."""

    configuration: Path
    log: Path
    certificate: Path
    key: Path


def configuration_text(port: int, certificate: Path, key: Path) -> str:
    """Return the configuration of a registry on a loopback port.

    Port 0 lets the system choose one.
    docker-registry 2.8, "Configuration": a YAML file, which JSON is too.
    """
    settings = {
        "version": "0.1",
        "log": {"level": "info", "formatter": "text", "accesslog": {"disabled": True}},
        "storage": {"inmemory": {}},
        "http": {"addr": f"{LOOPBACK}:{port}", "tls": {"certificate": str(certificate), "key": str(key)}},
    }
    return json.dumps(settings, indent=2) + "\n"


def running_registry(ledger: Ledger, name: str, authority: Path, certificate: Path) -> int:
    """Return the port of an earlier registry with the certificate, or 0.

    Args:
        name: The name or address that the certificate must have.
        authority: PEM file of the authority that the guests trust.
        certificate: PEM file with which a new registry would start.
    """
    for old in ledger.read().all_of(ProcessEntry):
        if old.name == NAME and old.port and alive({"pid": old.pid, "created": old.started}):
            return old.port if serves(Endpoint(LOOPBACK, old.port, name, authority), certificate) else 0
    return 0


def start_registry(program: Path, files: RegistryFiles, ledger: Ledger, wanted_port: int, deadline: Deadline) -> int:
    """Start the registry and return its loopback port.

    Stop an earlier run's registry first.

    Args:
        wanted_port: The port, or 0 for any.

    Raises:
        HostError: It cannot be started, or it ended.
        DeadlineExpired: It does not report that it listens.
    """
    for old in ledger.read().all_of(ProcessEntry):
        if old.name == NAME:
            remove_process(old)
    text = configuration_text(wanted_port, files.certificate, files.key)
    files.configuration.write_text(text, encoding="utf-8", newline="\n")
    entry = ProcessEntry(NAME, (os.fspath(program), "serve", str(files.configuration)))
    ledger.write(entry)
    pid, started = start(entry.argv, files.log, {LAB_VARIABLE: str(ledger.path.parent)})
    entry = replace(entry, pid=pid, started=started)
    ledger.write(entry)

    def listens(_: Deadline) -> int | Pending:
        log = files.log.read_text(encoding="utf-8", errors="replace")
        found = _LISTENS.search(log)
        if found:
            return int(found[1])
        ended = _ENDED.search(log)
        if ended:
            raise HostError(f"the registry ended: {ended[1]}", where=str(files.log), remedy="read its log")
        return Pending((log.strip().splitlines() or ["nothing yet"])[-1])

    port = wait_until(listens, deadline, what="the registry to listen", where=NAME, remedy=f"read {files.log}")
    ledger.write(replace(entry, port=port))
    return port
