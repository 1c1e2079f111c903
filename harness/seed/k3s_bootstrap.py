"""Program for a guest: install k3s and wait for it.

It is sent as text and needs only Python 3.9. k3s comes from the payload. A worker waits until the master's API answers
before it starts. The marker is written only when the node is ready, in this boot. What goes wrong is reported on the
console, once per change.

Usage: k3s-bootstrap server|agent PAYLOAD SERVER
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 3600
_POLL_S = 5.0
_ANSWER_S = 30
_SYSTEMCTL = "/usr/bin/systemctl"
_PORT = 6443
_PROGRAM, _DATA = 0o755, 0o644
# An API server without anonymous access answers so as soon as it serves; before, k3s answers 503.
_SERVES = (200, 401, 403)


@dataclass(frozen=True)
class Node:
    """What this program works on.

    Attributes:
        kind: `server` or `agent`.
        server: Address of the master.
        root: Where its files are; `/` in a guest.
    """

    kind: str
    payload: Path
    server: str
    root: Path = Path("/")
    port: int = _PORT

    @property
    def unit(self) -> str:
        """k3s's own unit."""
        return "k3s" if self.kind == "server" else "k3s-agent"

    @property
    def marker(self) -> Path:
        """Written when the node is ready."""
        return self.root / f"var/lib/{self.unit}-bootstrap.done"

    @property
    def kubeconfig(self) -> Path:
        """The access that k3s itself has written for this node."""
        name = "etc/rancher/k3s/k3s.yaml" if self.kind == "server" else "var/lib/rancher/k3s/agent/kubelet.kubeconfig"
        return self.root / name


def say(text: str) -> None:
    """Write a line to the journal and to the console."""
    print(f"k3s-bootstrap: {text}", flush=True)  # noqa: T201  (a program of its own)


def install(node: Node) -> None:
    """Put the binary and the images to their places."""
    images = node.root / "var/lib/rancher/k3s/agent/images"
    images.mkdir(parents=True, exist_ok=True)
    _place(node.payload / "k3s/k3s", node.root / "usr/local/bin/k3s", _PROGRAM)
    found = sorted((node.payload / "images").glob("*"))
    for archive in found:
        _place(archive, images / archive.name, _DATA)
    say(f"installed with {len(found)} image archives")


def _place(source: Path, target: Path, mode: int) -> None:
    """Put a file to its place; an archive is linked, as it is large."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.new")
    new.unlink(missing_ok=True)
    if mode == _PROGRAM or not _linked(source, new):
        shutil.copyfile(source, new)
        new.chmod(mode)
    new.replace(target)


def _linked(source: Path, new: Path) -> bool:
    try:
        os.link(source, new)
    except OSError:  # on another file system
        return False
    return True


def wait_for(what: str, probe: Callable[[], str], limit: float, look: Callable[[], str] = lambda: "") -> None:
    """Return when the probe returns nothing; say each new reason.

    Raises:
        TimeoutError: The limit, on the monotonic clock, has passed; the text has the last reason.
    """
    reported = ""
    while True:
        try:
            reason = probe()
        except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
            reason = f"{type(error).__name__}: {error}"
        if not reason:
            return
        reason = f"{reason}{look()}"
        if reason != reported:
            say(f"waiting for {what}: {reason}")
            reported = reason
        if time.monotonic() >= limit:
            raise TimeoutError(f"{what}: {reason}")
        time.sleep(_POLL_S)


def api_answers(node: Node) -> str:
    """Return why the master's API does not serve, or nothing.

    Its certificate is not known yet on a worker; k3s compares it with the token when it joins.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    status, body = _get(node.server, node.port, "/readyz", context)
    return "" if status in _SERVES else f"{node.server}:{node.port} answers {status} {body[:80]}"


def node_is_ready(node: Node, name: str, boot_id: str) -> str:
    """Return why this node is not ready, or nothing.

    The node of an agent has to be registered by this boot; its network may need another node.
    """
    status, body = _ask(node, f"/api/v1/nodes/{name}")
    if status != 200:
        return f"the API answers {status} {body[:80]}"
    state = json.loads(body)["status"]
    if state["nodeInfo"]["bootID"] != boot_id:
        return "the node is known from another boot"
    ready = [item for item in state.get("conditions", []) if item["type"] == "Ready"]
    if node.kind == "agent" or (ready and ready[0]["status"] == "True"):
        return ""
    return f"not Ready: {ready[0].get('message', '') if ready else 'no condition'}"


def api_is_ready(node: Node) -> str:
    """Return why the API of this server is not ready, or nothing."""
    status, body = _ask(node, "/readyz")
    return "" if status == 200 else f"the API answers {status} {body[-200:]}"


def unit_state(node: Node, run: Callable[..., Any] = subprocess.run) -> str:
    """Return the state of k3s's unit, or nothing if it runs."""
    argv = [_SYSTEMCTL, "show", "-p", "ActiveState,SubState,NRestarts,Result", node.unit]
    try:
        shown = run(argv, capture_output=True, timeout=_ANSWER_S, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return f"; systemctl: {error}"
    state = " ".join(sorted(shown.stdout.decode("utf-8", errors="replace").split()))
    return "" if "ActiveState=active" in state and "NRestarts=0" in state else f"; {node.unit}: {state}"


def _ask(node: Node, path: str) -> tuple[int, str]:
    """Send a request with the access that k3s has written.

    Raises:
        OSError: There is none yet, or nothing answers.
    """
    text = node.kubeconfig.read_text(encoding="utf-8")
    server = _field(text, "server")
    match = re.match(r"https://\[?([^/\]]+?)\]?:(\d+)", server)
    if match is None:
        raise ValueError(f"no server in {node.kubeconfig}")
    with tempfile.TemporaryDirectory() as folder:
        authority, certificate, key = (
            _credential(text, name, Path(folder), node.root)
            for name in ("certificate-authority", "client-certificate", "client-key")
        )
        context = ssl.create_default_context(cafile=str(authority))
        context.load_cert_chain(str(certificate), str(key))
    return _get(match[1], int(match[2]), path, context)


def _credential(text: str, name: str, folder: Path, root: Path) -> Path:
    """Return the file with a credential of a kubeconfig."""
    data = _field(text, f"{name}-data")
    if not data:
        return root / _field(text, name).lstrip("/")
    path = folder / name
    path.write_bytes(base64.b64decode(data))
    return path


def _field(text: str, name: str) -> str:
    match = re.search(rf"^[\s-]*{name}:\s*\"?([^\s\"]+)", text, re.MULTILINE)
    return match[1] if match else ""


def _get(host: str, port: int, path: str, context: ssl.SSLContext) -> tuple[int, str]:
    connection = http.client.HTTPSConnection(host, port, timeout=_ANSWER_S, context=context)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", errors="replace")
    finally:
        connection.close()


def report(event: str, *fields: str) -> None:
    """Write an event to the serial port of a guest of ours."""
    program = "/usr/local/sbin/lab-event"
    if os.access(program, os.X_OK):
        subprocess.run([program, event, *fields], timeout=_ANSWER_S, check=False)


def bootstrap(
    node: Node,
    start: Callable[[str], None],
    limit: float,
    boot_id: str,
    name: str,
    *,
    state: Callable[[Node], str] = unit_state,
) -> None:
    """Bring this node to its cluster, and write the marker.

    Raises:
        OSError: The payload cannot be installed.
        TimeoutError: The node is not ready within the limit.
    """
    node.marker.unlink(missing_ok=True)
    install(node)
    if node.kind == "agent":
        wait_for("the API of the master", lambda: api_answers(node), limit)
    start(node.unit)
    if node.kind == "server":
        wait_for("the API", lambda: api_is_ready(node), limit, lambda: state(node))
    wait_for("this node", lambda: node_is_ready(node, name, boot_id), limit, lambda: state(node))
    new = node.marker.with_name(f"{node.marker.name}.new")
    new.write_text(json.dumps({"boot_id": boot_id, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}))
    new.replace(node.marker)


def _start(unit: str) -> None:
    subprocess.run([_SYSTEMCTL, "start", "--no-block", f"{unit}.service"], timeout=300, check=True)


def main(argv: list[str], limit_s: float = LIMIT_S) -> str | None:
    """Run; return what failed, or None."""
    node = Node(argv[1], Path(argv[2]), argv[3])
    began = time.monotonic()
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    try:
        bootstrap(node, _start, began + limit_s, boot_id, socket.gethostname().lower())
    except (OSError, subprocess.SubprocessError) as error:
        report("k3s-failed", f"role={node.kind}")
        last = ["/usr/bin/journalctl", "-u", node.unit, "-n", "20", "--no-pager", "-o", "cat"]
        subprocess.run(last, timeout=60, check=False)
        return f"k3s-bootstrap: failed: {error}"
    say(f"this node is ready, {time.monotonic() - began:.0f} s after the start")
    report("k3s-ready", f"role={node.kind}", f"seconds={time.monotonic() - began:.0f}")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv))
