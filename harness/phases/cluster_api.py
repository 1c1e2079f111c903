"""Ask the API from the host, with verified TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from harness.cluster.answers import NoAnswerError
from harness.cluster.checks import KUBECONFIG
from harness.cluster.kubeconfig import (
    API_PORT,
    CERTIFICATES,
    PATH,
    Credentials,
    credentials_of,
    validity_troubles,
    with_server,
)
from harness.core.errors import GuestError
from harness.core.temporary_files import temporary_directory
from harness.core.verdict import Check
from harness.guest.ssh_stream import Stream
from harness.phases.cluster_access import Access, problems
from harness.results.next_steps import API_FACT

T = TypeVar("T")

_CONNECT_S = 30.0
_REQUEST = "GET /version HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\nAccept: application/json\r\n\r\n"
_REMEDY = (
    "add the master's address to `tls-san` of /etc/rancher/k3s/config.yaml, check the clocks, and restart k3s: "
    "it renews certificates that end within 90 days"
)


def judge_kubeconfig(access: Access) -> Check:
    """Return whether the API answers the host, and its certificates last."""
    address = str(access.master.plan.address)
    try:
        text = access.run(access.master, f"cat {PATH}").stdout
        with_server(text, address, access.master.context.plan.spec.name)
        credentials = credentials_of(text)
        answer = ask_version(
            lambda: _stream(access, address), address, credentials, access.master.context.run.directory
        )
        certificates = access.each(lambda machine: access.run(machine, CERTIFICATES).stdout.encode())
    except NoAnswerError as error:
        return KUBECONFIG.not_proven(str(error))
    except (GuestError, TimeoutError, ConnectionError) as error:
        return KUBECONFIG.not_proven(f"{address}:{API_PORT} was not reached: {error}")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        return KUBECONFIG.judge(ok=False, seen=f"{address}:{API_PORT}: {error}", remedy=_REMEDY)
    silent = problems(certificates)
    known = [
        credentials.authority,
        credentials.certificate,
        *(one for one in certificates.values() if isinstance(one, bytes)),
    ]
    wrong = validity_troubles(known, datetime.now(UTC))
    wrong += [] if answer.startswith("HTTP/1.1 200") else [f"the API says {answer}"]
    if silent and not wrong:
        return KUBECONFIG.not_proven("; ".join(silent.values()))
    if not wrong:
        access.master.journal.facts({API_FACT: f"https://{address}:{API_PORT}"})
    seen = "; ".join(wrong) or f"{address}:{API_PORT}: {answer}, its certificate verified; none ends within 30 days"
    return KUBECONFIG.judge(ok=not wrong, seen=seen, remedy=_REMEDY)


def _stream(access: Access, address: str) -> Stream:
    """Connect from the host, or through SSH where only that leads into the network."""
    if access.master.endpoint.forward:
        return access.master.ssh.channel.open_stream(address, API_PORT, _CONNECT_S)
    return socket.create_connection((address, API_PORT), timeout=_CONNECT_S)


def ask_version(connect: Callable[[], Stream], name: str, credentials: Credentials, directory: Path) -> str:
    """Return the status line of the API's answer.

    Args:
        connect: Opens the connection.
        name: What the certificate has to be valid for.
        credentials: The authority, and the client's certificate and key.
        directory: Where the key is for a moment: `ssl` takes only files.

    Raises:
        OSError: The certificate is not valid, or the connection ended.
    """
    context = ssl.create_default_context(cadata=credentials.authority.decode("ascii"))
    with temporary_directory(directory, ".client-") as private:
        chain, key = private / "client.crt", private / "client.key"
        chain.write_bytes(credentials.certificate)
        key.write_bytes(credentials.key)
        context.load_cert_chain(chain, key)
    stream = connect()
    with contextlib.closing(stream):
        for data in _exchange(stream, context, name, _REQUEST.format(name=name).encode("ascii")):
            return data.split(b"\r\n", 1)[0].decode("ascii", "replace")
    raise ConnectionError("the API closed the connection without an answer")


def _exchange(stream: Stream, context: ssl.SSLContext, name: str, request: bytes) -> Iterator[bytes]:
    """Yield the parts of an answer; the stream need not be a socket."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)

    def step(action: Callable[[], T]) -> T:
        while True:
            try:
                value = action()
            except ssl.SSLWantReadError:
                _flush(stream, outgoing)
                data = stream.recv(65536)
                if data:
                    incoming.write(data)
                else:
                    incoming.write_eof()
                continue
            _flush(stream, outgoing)
            return value

    step(tls.do_handshake)
    step(lambda: tls.write(request))
    while data := step(lambda: tls.read(65536)):
        yield data


def _flush(stream: Stream, outgoing: ssl.MemoryBIO) -> None:
    data = outgoing.read()
    if data:
        stream.sendall(data)
