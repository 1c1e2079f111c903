from __future__ import annotations

import shlex
from typing import Any

import pytest
import yaml
from seed_samples import CA, HOST_PUBLIC, LOGIN, spec

from harness.core.secret import Secret
from harness.seed.model import K3sCluster
from harness.seed.ubuntu.user_data import user_data


def autoinstall(**changes: Any) -> dict[str, Any]:
    text = user_data(spec(**changes))
    assert text.startswith("#cloud-config\n")
    found: dict[str, Any] = yaml.safe_load(text)["autoinstall"]
    return found


def test_the_installer_asks_nobody_and_needs_no_network() -> None:
    data = autoinstall()
    assert data["version"] == 1
    assert data["apt"]["fallback"] == "offline-install"
    assert data["refresh-installer"] == {"update": False}
    assert "interactive-sections" not in data
    assert data["storage"] == {"layout": {"name": "direct"}, "swap": {"size": 0}}
    (card,) = data["network"]["ethernets"].values()
    assert (card["addresses"], card["match"]) == (["192.168.6.10/24"], {"name": "e*"})


def test_the_guest_is_as_the_lab_file_says() -> None:
    data = autoinstall()
    guest = data["user-data"]
    assert data["ssh"] == {"install-server": True, "allow-pw": False}
    assert (guest["hostname"], guest["timezone"]) == ("k3s-master1", "Asia/Seoul")
    (user,) = guest["users"]
    assert (user["name"], user["lock_passwd"], user["ssh_authorized_keys"]) == ("ubuntu", True, [LOGIN])
    assert guest["ssh_keys"]["ed25519_public"] == HOST_PUBLIC
    assert guest["ca_certs"] == {"trusted": [CA]}
    paths = [file["path"] for file in guest["write_files"]]
    assert {"/etc/hosts", "/etc/modules-load.d/k8s.conf", "/etc/sysctl.d/90-k8s.conf"} < set(paths)
    assert "/etc/resolv.conf" not in paths
    assert ["swapoff", "-a"] in guest["runcmd"]


def test_k3s_comes_with_the_payload_that_has_it() -> None:
    cluster = K3sCluster(Secret("t" * 32), "192.168.6.10", ())
    with_it, without = (autoinstall(k3s=one)["user-data"] for one in (cluster, None))
    assert "/etc/rancher/k3s/config.yaml" in [file["path"] for file in with_it["write_files"]]
    assert "/etc/rancher/k3s/config.yaml" not in [file["path"] for file in without["write_files"]]


@pytest.mark.parametrize("payload", ["/usr/local/seed", "/opt/seed's data;x"])
def test_paths_of_the_lab_file_are_quoted_for_the_shell(payload: str) -> None:
    paths = spec().paths.model_copy(update={"payload": payload})
    (command,) = autoinstall(paths=paths)["late-commands"]
    assert shlex.split(command)[-2:] == [f"/target{payload}", "/target/var/lib/iso-copy-complete"]
