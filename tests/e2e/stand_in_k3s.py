#!/usr/bin/python3 -I
"""A stand-in for the k3s binary: payload, units, waits and judgements meet it in real guests.

It is no Kubernetes: no container ever runs, and all that it says about itself is `stand-in`. What it shares with k3s
are the command line, files, ports, and nodes that are known from an earlier boot.
"""

from __future__ import annotations

import base64
import http.client
import http.server
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

VERSION = "v0.0.0+k3s0-stand-in"
CONFIG = Path("/etc/rancher/k3s")
DATA = Path("/var/lib/rancher/k3s")
STATE = DATA / "server/stand-in.json"
TLS = DATA / "server/tls"
IMPORTED = DATA / "agent/stand-in-images.json"
PORT = 6443
STARTING_S = 5.0  # in which the API answers 503, as k3s's does
RENEW_S = 10.0
GRACE_S = 40.0

Node = dict[str, Any]


def say(text: str) -> None:
    print(f"stand-in for k3s: {text}", flush=True)


def settings() -> dict[str, str]:
    """Return the texts of config.yaml; its lists are not needed."""
    lines = (line.partition(":") for line in (CONFIG / "config.yaml").read_text().splitlines())
    return {key: value.strip().strip("'\"") for key, _, value in lines if value.strip()}


def token(values: dict[str, str]) -> str:
    return Path(values["token-file"]).read_text().strip()


def own_node(values: dict[str, str]) -> Node:
    return {
        "name": values["node-name"],
        "address": values["node-ip"],
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "uuid": Path("/sys/class/dmi/id/product_uuid").read_text().strip(),
        "renewed": time.time(),
        "role": sys.argv[1],
    }


def import_images() -> None:
    """Remember the images that are there at the start; later ones are not imported."""
    names = []
    for archive in sorted((DATA / "agent/images").glob("*.tar*")):
        with tarfile.open(archive) as tar:
            content = tar.extractfile("manifest.json") or io.BytesIO(b"[]")
            names += [tag for image in json.load(content) for tag in image.get("RepoTags") or ()]
    IMPORTED.parent.mkdir(parents=True, exist_ok=True)
    IMPORTED.write_text(json.dumps(names))
    say(f"imported {len(names)} images")


def notify_ready() -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.connect("\0" + address[1:] if address.startswith("@") else address)
            wire.send(b"READY=1")


def make_certificate(values: dict[str, str]) -> None:
    if (TLS / "stand-in.crt").exists():
        return
    TLS.mkdir(parents=True, exist_ok=True)
    names = f"subjectAltName=IP:{values['node-ip']},IP:127.0.0.1,DNS:localhost,DNS:{values['node-name']}"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-days", "365", "-subj", "/CN=stand-in for k3s", "-addext", names]
    argv += ["-keyout", str(TLS / "stand-in.key"), "-out", str(TLS / "stand-in.crt")]
    subprocess.run(argv, check=True, timeout=120, capture_output=True)


def kubeconfig(server: str) -> str:
    certificate, key = (base64.b64encode((TLS / f"stand-in.{end}").read_bytes()).decode() for end in ("crt", "key"))
    return (
        "apiVersion: v1\nkind: Config\nclusters:\n- name: default\n  cluster:\n"
        f"    certificate-authority-data: {certificate}\n    server: {server}\n"
        "contexts:\n- name: default\n  context: {cluster: default, user: default}\ncurrent-context: default\n"
        f"users:\n- name: default\n  user:\n    client-certificate-data: {certificate}\n    client-key-data: {key}\n"
    )


def write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)


class Cluster:
    """The nodes, as the server remembers them over its restarts."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.nodes: dict[str, Node] = json.loads(STATE.read_text()) if STATE.exists() else {}

    def renew(self, node: Node) -> None:
        with self.lock:
            self.nodes[node["name"]] = {**node, "renewed": time.time()}
            STATE.parent.mkdir(parents=True, exist_ok=True)
            new = STATE.with_suffix(".new")
            new.write_text(json.dumps(self.nodes))
            new.replace(STATE)

    def answer(self, path: str) -> Any:
        """Return the object at a path of the API; None for one that is not there."""
        with self.lock:
            nodes = [node_object(node) for node in self.nodes.values()]
            leases = [lease_object(node) for node in self.nodes.values()]
        path = path.partition("?")[0].rstrip("/")
        if path == "/api/v1/nodes":
            return {"kind": "List", "apiVersion": "v1", "items": nodes}
        if path.startswith("/api/v1/nodes/"):
            return next((node for node in nodes if node["metadata"]["name"] == path.rpartition("/")[2]), None)
        if path.endswith("/leases"):
            return {"kind": "List", "apiVersion": "v1", "items": leases}
        if path.endswith(("/pods", "/events", "/storageclasses", "/namespaces")):
            return {"kind": "List", "apiVersion": "v1", "items": []}
        return None


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def node_object(node: Node) -> Node:
    fresh = time.time() - node["renewed"] < GRACE_S
    ready = {"type": "Ready", "status": "True" if fresh else "Unknown", "lastHeartbeatTime": stamp(node["renewed"])}
    calm = [
        {"type": kind, "status": "False" if fresh else "Unknown"}
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
    ]
    labels = {"kubernetes.io/hostname": node["name"]}
    if node["role"] == "server":
        labels["node-role.kubernetes.io/master"] = "true"
        labels["node-role.kubernetes.io/control-plane"] = "true"
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": node["name"], "labels": labels, "annotations": {}},
        "spec": {},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": node["address"]},
                {"type": "Hostname", "address": node["name"]},
            ],
            "conditions": [*calm, ready],
            "nodeInfo": {
                "bootID": node["boot"],
                "systemUUID": node["uuid"],
                "kubeletVersion": VERSION,
                "containerRuntimeVersion": "stand-in",
            },
        },
    }


def lease_object(node: Node) -> Node:
    return {
        "metadata": {"name": node["name"], "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": node["name"], "renewTime": stamp(node["renewed"]), "leaseDurationSeconds": 40},
    }


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as an API server does that admits its own certificate and, for a join, the token."""

    timeout = 30
    context: ssl.SSLContext
    cluster: Cluster
    secret: str
    kubeconfig: str
    began: float

    def setup(self) -> None:
        # In the request's own thread: a client that says nothing delays no other one.
        self.request = self.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self) -> None:
        if time.monotonic() - self.began < STARTING_S:
            self.reply(503, "stand-in: starting")
        elif not self.request.getpeercert():
            self.reply(401, "stand-in: Unauthorized")
        elif self.path.startswith(("/readyz", "/livez", "/healthz")):
            self.reply(200, "ok")
        else:
            found = self.cluster.answer(self.path)
            self.reply(200 if found is not None else 404, json.dumps(found))

    def do_POST(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.secret}":
            self.reply(403, "stand-in: wrong token")
            return
        self.cluster.renew(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.reply(200, self.kubeconfig)

    def reply(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def run_server() -> None:
    values = settings()
    make_certificate(values)
    import_images()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "stand-in.crt", TLS / "stand-in.key")
    context.load_verify_locations(TLS / "stand-in.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    Handler.context, Handler.cluster, Handler.secret = context, Cluster(), token(values)
    Handler.kubeconfig, Handler.began = kubeconfig(f"https://{values['node-ip']}:{PORT}"), time.monotonic()
    with http.server.ThreadingHTTPServer(("0.0.0.0", PORT), Handler) as server:
        write_private(CONFIG / "k3s.yaml", kubeconfig(f"https://127.0.0.1:{PORT}"))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        time.sleep(STARTING_S)
        notify_ready()
        say("serving")
        while True:
            Handler.cluster.renew(own_node(values))
            time.sleep(RENEW_S)


def run_agent() -> None:
    values = settings()
    import_images()
    address = values["server"].partition("://")[2].partition(":")[0]
    ready = False
    while True:
        try:
            status, text = ask(address, "POST", "/stand-in/register", json.dumps(own_node(values)), token(values))
        except (OSError, http.client.HTTPException) as error:
            status, text = 0, str(error)
        if status != 200:
            say(f"the server does not take this node: {status} {text}")
        elif not ready:
            write_private(DATA / "agent/kubelet.kubeconfig", text)
            notify_ready()
            say("registered")
            ready = True
        time.sleep(RENEW_S if ready else 2)


def ask(address: str, method: str, path: str, body: str = "", secret: str = "") -> tuple[int, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if not secret:
        context.load_cert_chain(TLS / "stand-in.crt", TLS / "stand-in.key")
    connection = http.client.HTTPSConnection(address, PORT, timeout=20, context=context)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {secret}"} if secret else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


PATHS = {
    "node": "/api/v1/nodes",
    "lease": "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    "pod": "/api/v1/pods",
    "event": "/api/v1/events",
    "namespace": "/api/v1/namespaces",
    "storageclass": "/apis/storage.k8s.io/v1/storageclasses",
}


def kubectl(words: list[str]) -> int:
    if "--raw" in words:
        path = words[words.index("--raw") + 1]
    else:
        wanted = words[1].partition(".")[0] if words[:1] == ["get"] and len(words) > 1 else ""
        path = next((PATHS[name] for name in (wanted, wanted[:-1], wanted[:-2]) if name in PATHS), "")
    if not path:
        print(f"stand-in for k3s: kubectl {' '.join(words)} is not answered", file=sys.stderr)
        return 1
    status, text = ask("127.0.0.1", "GET", path)
    print(text)
    return 0 if status == 200 else 1


def images(words: list[str]) -> int:
    names = json.loads(IMPORTED.read_text())
    if "json" in words or "-ojson" in words:
        listed = [{"id": "stand-in", "repoTags": [name], "repoDigests": []} for name in names]
        print(json.dumps({"images": listed}))
    else:
        print("\n".join(names))
    return 0


def main(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"k3s version {VERSION} (stand-in)")
    elif words[:1] == ["server"]:
        run_server()
    elif words[:1] == ["agent"]:
        run_agent()
    elif words[:1] == ["kubectl"]:
        return kubectl(words[1:])
    elif words[:1] in (["crictl"], ["ctr"]) and "images" in words:
        return images(words)
    else:
        print(f"stand-in for k3s: {' '.join(words)} is not answered", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
