"""From a payload to the verdict on its cluster, in two real guests, with a stand-in for k3s.

What is proven: the payload, the units, their order, their waits and what is judged of them. No container runs.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from whole_lab import LIMIT_S, asked_for, command, copy_scenarios, output_tail, run

STAND_IN = Path(__file__).with_name("stand_in_k3s.py")
IMAGE = "docker.io/library/stand-in:1"
MACHINES = ("k3s-master1", "k3s-worker1")
# Phases with nothing to find fault with; the cluster's is judged below, by what each check saw.
BEFORE = ("creation", "boot", "iso-copy", "cloud-init", "packages", "iso-detached", "restarts", "guests", "air-gap")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A lab of two machines with a stand-in in its payload, after its run."""
    folder = tmp_path_factory.mktemp("stand-in") / "lab"
    copy_scenarios(folder)
    edit(folder / "scenarios" / "lab.yaml")
    shutil.copy(STAND_IN, folder / "k3s-stand-in")
    with tarfile.open(folder / "images.tar", "w") as tar:
        content = json.dumps([{"Config": "", "RepoTags": [IMAGE], "Layers": []}]).encode()
        info = tarfile.TarInfo("manifest.json")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    try:
        done = command(folder, "setup")
        assert done.returncode == 0, done.stderr
        run(folder, machine=None).wait(LIMIT_S)
        yield folder
    finally:
        command(folder, "down")


def edit(lab_file: Path) -> None:
    text = lab_file.read_text(encoding="utf-8")
    begin, end = text.index("  k3s-worker2:\n"), text.index("\nguest:")
    text = text.replace("  cluster: 900 ", "  cluster: 180 ")  # what no stand-in can prove is waited for until then
    payload = "payload: {k3s: {binary: ../k3s-stand-in, images: [../images.tar]}}\n"
    lab_file.write_text(f"{text[:begin]}{text[end:]}{payload}", encoding="utf-8")


def result(lab: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lab / "reports/latest/run.json").read_text(encoding="utf-8"))
    return found


def guest(lab: Path, machine: str, text: str) -> str:
    done = command(lab, "ssh", machine, text)
    assert done.returncode == 0, f"{text}: {done.stdout} {done.stderr}"
    return done.stdout


@asked_for
def test_the_phases_before_the_cluster_hold_with_it(lab: Path) -> None:
    wrong = [
        (one["machine"], one["phase"], check["name"], check["seen"])
        for one in result(lab)["verdicts"]
        for check in one["checks"]
        if one["phase"] in BEFORE and check["status"] in ("fail", "error")
    ]
    assert wrong == [], output_tail(lab)


@asked_for
@pytest.mark.parametrize("machine", MACHINES)
def test_each_node_is_ready_in_this_boot(lab: Path, machine: str) -> None:
    unit = "k3s" if machine == "k3s-master1" else "k3s-agent"
    wait = f"for i in $(seq 120); do sudo test -e /var/lib/{unit}-bootstrap.done && break; sleep 2; done"
    marker = json.loads(guest(lab, machine, f"{wait}; sudo cat /var/lib/{unit}-bootstrap.done"))
    assert marker["boot_id"] == guest(lab, machine, "cat /proc/sys/kernel/random/boot_id").strip()
    assert guest(lab, machine, f"systemctl is-active {unit}").strip() == "active"
    assert IMAGE in guest(lab, machine, "sudo /usr/local/bin/k3s crictl images")
    console = guest(lab, machine, f"sudo journalctl -u {unit}-bootstrap --no-pager -o cat -b")
    assert "this node is ready" in console
    if machine != "k3s-master1":
        assert "registered" in guest(lab, machine, f"sudo journalctl -u {unit} --no-pager -o cat -b")


@asked_for
def test_the_server_knows_both_nodes(lab: Path) -> None:
    nodes = json.loads(guest(lab, "k3s-master1", "sudo /usr/local/bin/k3s kubectl get nodes -o json"))["items"]
    assert sorted(node["metadata"]["name"] for node in nodes) == sorted(MACHINES)
    for node in nodes:
        boot = guest(lab, node["metadata"]["name"], "cat /proc/sys/kernel/random/boot_id").strip()
        assert node["status"]["nodeInfo"]["bootID"] == boot


@asked_for
@pytest.mark.parametrize("machine", MACHINES)
def test_what_a_node_needs_is_there_and_nothing_secret_is_open(lab: Path, machine: str) -> None:
    modes = guest(lab, machine, "sudo stat -c '%a %U %n' /etc/rancher/k3s/token /etc/rancher/k3s/config.yaml")
    assert {line.partition(" ")[0] for line in modes.splitlines()} == {"600"}
    programs = "sudo sh -c 'command -v iptables && command -v apparmor_parser'"
    assert len(guest(lab, machine, programs).split()) == 2
    assert "policy=none" in guest(lab, machine, "tr A-Z a-z < /etc/systemd/network/10-flannel.link")
    boots = guest(lab, machine, "sudo journalctl --list-boots --no-pager -q").strip().splitlines()
    assert len(boots) > 1, "the journal of an earlier boot is gone"


@asked_for
def test_the_token_is_in_no_result(lab: Path) -> None:
    token = (lab / ".lab/seeds/k3s/token").read_bytes().strip()
    files = [path for path in (lab / "reports").rglob("*") if path.is_file() and not path.is_symlink()]
    assert files
    assert [path for path in files if token in path.read_bytes()] == []


@asked_for
def test_a_stand_in_proves_no_cluster(lab: Path) -> None:
    (claim,) = (one for one in result(lab)["claims"] if one["claim"] == "cluster-healthy")
    assert claim["standing"] != "proven", json.dumps(claim)
