"""Networks: names and subnets."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.vmrun_qemu.base.messages import Failure
from harness.vmrun_qemu.network import definitions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMRUN_QEMU_HOME", str(tmp_path))
    monkeypatch.delenv("VMRUN_QEMU_NETWORKS", raising=False)


def test_a_host_only_network_is_closed_and_leaves_its_first_address_to_the_lab() -> None:
    network = definitions.get("VMnet1")
    assert (network.kind, str(network.subnet), network.gateway) == ("hostOnly", "192.168.6.0/24", "192.168.6.254")
    assert network.is_closed


def test_a_nat_network_is_open_with_the_gateway_where_vmware_has_it() -> None:
    network = definitions.get("/dev/vmnet8")
    assert (network.gateway, network.name_server) == ("192.168.80.2", "192.168.80.3")
    assert not network.is_closed


def test_other_networks_are_closed_and_distinct() -> None:
    subnets = {str(definitions.get(f"vmnet{number}").subnet) for number in range(1, 20)}
    assert len(subnets) == 19
    assert definitions.get("vmnet19").kind == "hostOnly"


@pytest.mark.parametrize("name", ["vmnet0", "vmnet20", "vmnet", "eth0", "../vmnet1", "vmnet01"])
def test_there_is_no_such_network(name: str) -> None:
    with pytest.raises(Failure):
        definitions.normal_name(name)


def test_the_environment_is_stronger_than_a_definition_and_that_than_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definitions.define(definitions.Network("vmnet1", "nat", definitions.parse_subnet("10.0.0.0/24")))
    assert (definitions.get("vmnet1").kind, str(definitions.get("vmnet1").subnet)) == ("nat", "10.0.0.0/24")
    monkeypatch.setenv("VMRUN_QEMU_NETWORKS", "VMnet1 = 10.9.0.0/16, vmnet5=10.5.0.0/24")
    assert str(definitions.get("vmnet1").subnet) == "10.9.0.0/16"
    assert [network.name for network in definitions.known()] == ["vmnet1", "vmnet5", "vmnet8"]


@pytest.mark.parametrize("text", ["", "192.168.6.1/24", "192.168.6.0/29", "::/64", "10.0.0.0/7", "x"])
def test_what_is_no_subnet_for_guests(text: str) -> None:
    with pytest.raises(Failure, match="parameters was invalid"):
        definitions.parse_subnet(text)
