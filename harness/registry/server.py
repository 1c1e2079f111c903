"""The registry's process: it outlives the session, as the machines do that pull from it, and ends with the lab."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness import ledger as entries
from harness.errors import HostError
from harness.ledger import Ledger
from harness.process import start
from harness.removal import remove_process
from harness.wait import Deadline, Pending, wait_until

NAME = "registry"
# docker-registry 2.8, "Configuration": JSON is YAML; an empty address of port 0 is the system's choice.
_CONFIGURATION = """\
version: 0.1
log: {{level: info, formatter: text, accesslog: {{disabled: true}}}}
storage: {{inmemory: {{}}}}
http:
  addr: 127.0.0.1:{port}
  tls: {{certificate: '{certificate}', key: '{key}'}}
"""
_LISTENS = re.compile(r"listening on 127\.0\.0\.1:(\d+), tls")
_ENDED = re.compile(r'level=fatal msg="?([^\n]*)')


@dataclass(frozen=True)
class RegistryFiles:
    """What the registry needs and leaves; `certificate` and `key` are PEM files."""

    configuration: Path
    log: Path
    certificate: Path
    key: Path


def start_registry(program: Path, files: RegistryFiles, ledger: Ledger, wanted_port: int, deadline: Deadline) -> int:
    """Return the port of the loopback on which the registry listens with TLS; one of an earlier run is ended first.

    Args:
        wanted_port: Or 0, for any.

    Raises:
        HostError: It cannot be started, or it ended.
        DeadlineExpired: It does not say that it listens.
    """
    for old in ledger.read().all_of(entries.Process):
        if old.name == NAME:
            remove_process(old)
    text = _CONFIGURATION.format(port=wanted_port, certificate=files.certificate, key=files.key)
    files.configuration.write_text(text, encoding="utf-8", newline="\n")
    claim = entries.Process(NAME, str(files.configuration))
    ledger.write(claim)
    pid, started = start([program, "serve", files.configuration], files.log)
    ledger.write(entries.Process(NAME, claim.word, pid, started))

    def listens(_: Deadline) -> int | Pending:
        said = files.log.read_text(encoding="utf-8", errors="replace")
        found = _LISTENS.search(said)
        if found:
            return int(found[1])
        ended = _ENDED.search(said)
        if ended:
            raise HostError(f"the registry ended: {ended[1]}", where=str(files.log), remedy="read its log")
        return Pending((said.strip().splitlines() or ["nothing yet"])[-1])

    return wait_until(listens, deadline, what="the registry to listen", where=NAME, remedy=f"read {files.log}")
