from __future__ import annotations

from typing import Any

import pytest
import yaml
from seed_samples import CA, HOST_PRIVATE, HOST_PUBLIC, LOGIN, MARKERS, spec

from harness.core.secret import Secret
from harness.guest.lab_keys import HostKey
from harness.seed import cloud_config, k3s_node


def user_data(**changes: Any) -> dict[str, Any]:
    text = cloud_config.user_data(spec(**changes))
    assert text.startswith("#cloud-config\n")
    document = yaml.safe_load(text)
    assert isinstance(document, dict)
    return document


def written(document: dict[str, Any]) -> dict[str, str]:
    return {item["path"]: item["content"] for item in document["write_files"]}


def test_the_user_logs_in_with_the_key_only() -> None:
    document = user_data()
    (user,) = document["users"]
    assert user["ssh_authorized_keys"] == [LOGIN]
    assert user["lock_passwd"] is True
    assert user["sudo"] == "ALL=(ALL) NOPASSWD:ALL"
    sshd = written(document)["/etc/ssh/sshd_config.d/10-lab.conf"].splitlines()
    assert "PasswordAuthentication no" in sshd
    assert "KbdInteractiveAuthentication no" in sshd
    assert "PermitRootLogin no" in sshd


def test_every_promise_of_the_lab_is_in_the_data() -> None:
    document = user_data(timezone="Asia/Seoul")
    files = written(document)
    assert document["hostname"] == "k3s-master1"
    assert document["timezone"] == "Asia/Seoul"
    assert "net.ipv4.ip_forward = 1" in files["/etc/sysctl.d/90-k8s.conf"]
    assert "net.bridge.bridge-nf-call-iptables = 1" in files["/etc/sysctl.d/90-k8s.conf"]
    assert files["/etc/modules-load.d/k8s.conf"].split() == ["overlay", "br_netfilter"]
    assert ["modprobe", "-a", "overlay", "br_netfilter"] in document["runcmd"]
    assert ["swapoff", "-a"] in document["runcmd"]


def test_the_marker_is_the_last_command() -> None:
    document = user_data(paths=MARKERS.model_copy(update={"cloud_init": "/srv/marks/done"}))
    assert document["runcmd"][-1] == [
        "sh",
        "-c",
        "mkdir -p $(dirname /srv/marks/done) && date -u +%Y-%m-%dT%H:%M:%SZ > /srv/marks/done",
    ]


def test_a_lab_may_promise_password_and_root_logins() -> None:
    document = user_data(password_ssh=True, root_ssh=True, ssh_port=2222)
    sshd = written(document)["/etc/ssh/sshd_config.d/10-lab.conf"].splitlines()
    assert sshd[:4] == [
        "Port 2222",
        "PasswordAuthentication yes",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
    ]
    assert (document["ssh_pwauth"], document["disable_root"]) == (True, False)
    assert document["users"][1] == {"name": "root", "lock_passwd": True, "ssh_authorized_keys": [LOGIN]}


def test_a_lab_may_promise_swap_and_do_without_the_authority() -> None:
    document = user_data(swap=True, lab_ca=False)
    assert "ca_certs" not in document
    assert ["swapoff", "-a"] not in document["runcmd"]
    assert any("swapon" in command[-1] for command in document["runcmd"])
    fstab = next(item for item in document["write_files"] if item["path"] == "/etc/fstab")
    assert fstab["append"] is True


def test_modules_come_before_the_settings_that_need_them() -> None:
    commands = [command[0] for command in user_data()["runcmd"]]
    assert commands.index("modprobe") < commands.index("/lib/systemd/systemd-sysctl")


def test_the_host_key_and_the_ca_survive_yaml_to_the_byte() -> None:
    document = user_data()
    assert document["ssh_keys"]["ed25519_private"] == HOST_PRIVATE
    assert document["ssh_keys"]["ed25519_public"] == HOST_PUBLIC
    assert document["ca_certs"]["trusted"] == [CA]


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_windows_line_ends_of_the_inputs_do_not_reach_the_guest(line_end: str) -> None:
    broken = spec(
        ca_certificate=CA.replace("\n", line_end),
        host_key=HostKey(Secret(HOST_PRIVATE.replace("\n", line_end)), HOST_PUBLIC),
        ssh_public_key=LOGIN + line_end,
    )
    for text in (
        cloud_config.user_data(broken),
        cloud_config.meta_data(broken, "0" * 32),
        cloud_config.network_config(broken),
        k3s_node.registries(broken),
    ):
        assert "\r" not in text
    assert yaml.safe_load(cloud_config.user_data(broken))["ca_certs"]["trusted"] == [CA]


def test_a_pem_is_a_literal_block_and_not_a_folded_or_quoted_text() -> None:
    text = cloud_config.user_data(spec())
    assert "trusted:\n  - |\n    -----BEGIN CERTIFICATE-----\n    MIIB" in text


def test_the_address_is_static_and_for_any_card_name() -> None:
    network = yaml.safe_load(cloud_config.network_config(spec()))
    (card,) = network["ethernets"].values()
    assert card["match"] == {"name": "e*"}
    assert card["addresses"] == ["192.168.6.10/24"]
    assert card["dhcp4"] is False
    assert card["routes"] == [{"to": "default", "via": "192.168.6.1"}]
    assert card["nameservers"]["addresses"] == ["192.168.6.1"]


def test_without_a_name_server_there_is_no_entry_for_one() -> None:
    network = yaml.safe_load(cloud_config.network_config(spec(dns=())))
    assert "nameservers" not in network["ethernets"]["lab"]


def test_the_guest_resolves_its_own_name_and_its_peers() -> None:
    hosts = written(user_data())["/etc/hosts"].splitlines()
    assert "127.0.1.1 k3s-master1" in hosts
    assert "192.168.6.11 k3s-worker1" in hosts
    assert "192.168.6.10 k3s-master1" not in hosts


def test_an_instance_is_a_machine_with_its_inputs() -> None:
    first = yaml.safe_load(cloud_config.meta_data(spec(), "a" * 32))
    assert first == {"instance-id": "k3s-master1-aaaaaaaaaaaa", "local-hostname": "k3s-master1"}
    assert yaml.safe_load(cloud_config.meta_data(spec(), "b" * 32))["instance-id"] != first["instance-id"]


def test_the_registry_is_the_mirror_of_everything_and_trusted_by_the_labs_ca() -> None:
    registries = yaml.safe_load(k3s_node.registries(spec()))
    assert registries["mirrors"]["*"]["endpoint"] == ["https://192.168.6.1:5000"]
    assert registries["configs"]["192.168.6.1:5000"]["tls"]["ca_file"] == "/usr/local/seed/ca.crt"
    there = MARKERS.model_copy(update={"payload": "/srv/seed"})
    elsewhere = yaml.safe_load(k3s_node.registries(spec(paths=there)))
    assert elsewhere["configs"]["192.168.6.1:5000"]["tls"]["ca_file"] == "/srv/seed/ca.crt"


def test_a_lab_without_modules_loads_none() -> None:
    assert not any("modprobe" in command for command in user_data(kernel_modules=())["runcmd"])
    assert ["modprobe", "-a", "overlay"] in user_data(kernel_modules=("overlay",))["runcmd"]
