"""Start the registry, and the read-only proxy through which guests pull from it.

Both processes outlive the session and end with the lab.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from harness.airgap import registry_proxy
from harness.airgap.registry_client import Endpoint, serves
from harness.airgap.registry_login import RegistryLogin
from harness.core.deadline import Deadline, Pending, wait_until
from harness.core.errors import HostError
from harness.core.layout import LAB_VARIABLE
from harness.ownership.ledger import Ledger, ProcessEntry
from harness.ownership.processes import remove_process
from harness.system.ports import LOOPBACK
from harness.system.process import start
from harness.system.process_identity import alive
from harness.system.python import file_command

NAME = "registry"
PROXY = "registry proxy"
_LEAST_MEMORY_BYTES = 1 << 30
_LISTENS = re.compile(r"listening on 127\.0\.0\.1:(\d+), tls")
_ENDED = re.compile(r'level=fatal msg="?([^\n]*)')


@dataclass(frozen=True)
class RegistryFiles:
    """Files of the registry and its proxy.

    `certificate`, `key` and `authority` are PEM files; `name` is the address in the certificate.
    """

    directory: Path
    name: str
    authority: Path
    certificate: Path
    key: Path
    login: RegistryLogin


def configuration_text(files: RegistryFiles) -> str:
    """Return the configuration of a registry on a loopback port.

    The system chooses the port.
    docker-registry 2.8, "Configuration": a YAML file, which JSON is too.
    """
    settings = {
        "version": "0.1",
        "log": {"level": "info", "formatter": "text", "accesslog": {"disabled": True}},
        "storage": {"inmemory": {}},
        "auth": {"htpasswd": {"realm": "lab", "path": str(files.login.htpasswd)}},
        "http": {"addr": f"{LOOPBACK}:0", "tls": {"certificate": str(files.certificate), "key": str(files.key)}},
    }
    return json.dumps(settings, indent=2) + "\n"


def running_registry(ledger: Ledger, files: RegistryFiles) -> int:
    """Return the port of an earlier registry with certificate and login, or 0."""
    return _running(ledger, NAME, files, files.login.header)


def running_proxy(ledger: Ledger, files: RegistryFiles) -> int:
    """Return the port of an earlier proxy that reaches its registry, or 0."""
    return _running(ledger, PROXY, files, "")


def _running(ledger: Ledger, name: str, files: RegistryFiles, login: str) -> int:
    for old in ledger.read().all_of(ProcessEntry):
        if old.name == name and old.port and alive({"pid": old.pid, "created": old.started}):
            endpoint = Endpoint(LOOPBACK, old.port, files.name, files.authority, login)
            return old.port if serves(endpoint, files.certificate) else 0
    return 0


def start_registry(program: Path, files: RegistryFiles, ledger: Ledger, deadline: Deadline) -> int:
    """Start the registry and return its loopback port.

    Stop an earlier run's registry first.

    Raises:
        HostError: It cannot be started, or it ended.
        DeadlineExpired: It does not report that it listens.
    """
    configuration = files.directory / "registry.yml"
    configuration.write_text(configuration_text(files), encoding="utf-8", newline="\n")
    entry = ProcessEntry(NAME, (os.fspath(program), "serve", str(configuration)))
    port = _start(entry, files.directory / "registry.log", ledger, deadline)
    files.login.write_client(port)
    return port


def start_proxy(registry_port: int, files: RegistryFiles, ledger: Ledger, wanted_port: int, deadline: Deadline) -> int:
    """Start the read-only proxy of a registry and return its loopback port.

    Stop an earlier run's proxy first.

    Args:
        wanted_port: The port, or 0 for any.

    Raises:
        HostError: It cannot be started, or it ended.
        DeadlineExpired: It does not report that it listens.
    """
    settings = {
        "port": wanted_port,
        "registry_port": registry_port,
        "name": files.name,
        "authority": str(files.authority),
        "certificate": str(files.certificate),
        "key": str(files.key),
        "password": str(files.login.password_file),
    }
    configuration = files.directory / "registry-proxy.json"
    configuration.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8", newline="\n")
    entry = ProcessEntry(PROXY, (*file_command(registry_proxy.__file__), str(configuration)))
    return _start(entry, files.directory / "registry-proxy.log", ledger, deadline)


def _start(entry: ProcessEntry, log: Path, ledger: Ledger, deadline: Deadline) -> int:
    for old in ledger.read().all_of(ProcessEntry):
        if old.name == entry.name:
            remove_process(old)
    ledger.write(entry)
    pid, started = start(entry.argv, log, {LAB_VARIABLE: str(ledger.path.parent)})
    entry = replace(entry, pid=pid, started=started)
    ledger.write(entry)
    _limit_memory(pid)

    def listens(_: Deadline) -> int | Pending:
        text = log.read_text(encoding="utf-8", errors="replace")
        found = _LISTENS.search(text)
        if found:
            return int(found[1])
        ended = _ENDED.search(text)
        if ended:
            raise HostError(f"the {entry.name} ended: {ended[1]}", where=str(log), remedy="read its log")
        return Pending((text.strip().splitlines() or ["nothing yet"])[-1])

    port = wait_until(listens, deadline, what=f"the {entry.name} to listen", where=entry.name, remedy=f"read {log}")
    ledger.write(replace(entry, port=port))
    return port


def _limit_memory(pid: int) -> None:
    """Let a registry that grows end itself, not the host or its machines.

    It keeps its images in memory. Only Linux has the limit.
    """
    limit = max(_LEAST_MEMORY_BYTES, psutil.virtual_memory().total // 4)
    with contextlib.suppress(AttributeError, OSError, psutil.Error):
        psutil.Process(pid).rlimit(psutil.RLIMIT_DATA, (limit, limit))
