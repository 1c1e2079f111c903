from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml
from seed_samples import spec

from harness.config.model import Role
from harness.core.secret import Secret
from harness.seed import cloud_config, k3s_node
from harness.seed.k3s_bootstrap import Node
from harness.seed.model import K3sCluster, RegistryLogin

CLUSTER = K3sCluster(Secret("t" * 64), "192.168.6.10", ("traefik",))
MASTER = spec(k3s=CLUSTER)
WORKER = spec(k3s=CLUSTER, machine="k3s-worker1", role=Role.WORKER, address="192.168.6.11/24")


def files(seed: object) -> dict[str, dict[str, str]]:
    assert isinstance(seed, type(MASTER))
    assert seed.k3s is not None
    return {file["path"]: file for file in k3s_node.node_files(seed, seed.k3s)}


def test_a_server_has_its_settings() -> None:
    assert yaml.safe_load(files(MASTER)["/etc/rancher/k3s/config.yaml"]["content"]) == {
        "node-name": "k3s-master1",
        "node-ip": "192.168.6.10",
        "token-file": "/etc/rancher/k3s/token",
        "tls-san": ["192.168.6.10", "k3s-master1"],
        "write-kubeconfig-mode": "0600",
        "disable": ["traefik"],
    }
    assert "disable" not in k3s_node.config(MASTER, replace(CLUSTER, disable=()))


def test_an_agent_joins_the_server() -> None:
    assert yaml.safe_load(files(WORKER)["/etc/rancher/k3s/config.yaml"]["content"]) == {
        "server": "https://192.168.6.10:6443",
        "node-name": "k3s-worker1",
        "node-ip": "192.168.6.11",
        "token-file": "/etc/rancher/k3s/token",
    }


def test_secrets_are_in_files_of_root_only_and_in_no_command() -> None:
    seed = replace(MASTER, registry_login=RegistryLogin("lab", Secret("hidden-word")))
    found = files(seed)
    assert found["/etc/rancher/k3s/token"]["content"] == "t" * 64 + "\n"
    access = yaml.safe_load(found["/etc/rancher/k3s/registries.yaml"]["content"])["configs"]["192.168.6.1:5000"]
    assert access["auth"] == {"username": "lab", "password": "hidden-word"}
    assert access["tls"] == {"ca_file": "/usr/local/seed/ca.crt"}
    holders = [file for file in found.values() if "t" * 64 in file["content"] or "hidden-word" in file["content"]]
    assert {file["permissions"] for file in holders} == {"0600"}
    assert len(holders) == 2
    assert "hidden-word" not in k3s_node.registries(seed, with_login=False)
    assert "t" * 64 not in str(k3s_node.node_commands(Role.MASTER))


def test_the_unit_of_each_role() -> None:
    for seed, unit, kind in ((MASTER, "k3s", "server"), (WORKER, "k3s-agent", "agent")):
        found = files(seed)
        assert f"ExecStart=/usr/local/bin/k3s {kind}\n" in found[f"/etc/systemd/system/{unit}.service"]["content"]
        bootstrap = found[f"/etc/systemd/system/{unit}-bootstrap.service"]["content"]
        assert f"k3s-bootstrap {kind} /usr/local/seed 192.168.6.10\n" in bootstrap
        assert "journal+console" in bootstrap
        assert Node(kind, Path("/seed"), "192.168.6.10").marker == Path(f"/var/lib/{unit}-bootstrap.done")
        assert ["systemctl", "enable", f"{unit}-bootstrap.service"] in k3s_node.node_commands(seed.role)


def test_no_boot_waits_for_the_cluster() -> None:
    """A unit that a target wants and that has default dependencies is waited for by the target."""
    bootstrap = files(MASTER)["/etc/systemd/system/k3s-bootstrap.service"]["content"]
    assert "DefaultDependencies=no" in bootstrap
    assert "lab-boot-complete.service" in bootstrap
    assert ["systemctl", "start", "--no-block", "k3s-bootstrap.service"] in k3s_node.node_commands(Role.MASTER)
    assert not [one for one in k3s_node.node_commands(Role.MASTER) if one[1] == "start" and "--no-block" not in one]


def test_flannel_keeps_its_address_and_the_journal_is_kept() -> None:
    found = files(MASTER)
    assert "MACAddressPolicy=none" in found["/etc/systemd/network/10-flannel.link"]["content"]
    (journal,) = (path for path in found if "journald" in path)
    assert "Storage=persistent" in found[journal]["content"]
    assert journal.rpartition("/")[2] > "lab.conf"  # the image's own, which keeps nothing: the last one counts


def test_a_seed_without_k3s_has_nothing_of_it() -> None:
    assert "k3s-bootstrap" not in cloud_config.user_data(spec())
    assert "k3s-bootstrap" in cloud_config.user_data(MASTER)
    commands = yaml.safe_load(cloud_config.user_data(MASTER))["runcmd"]
    assert "cloud-init-complete" in commands[-1][-1]  # its marker is the last, also with k3s
