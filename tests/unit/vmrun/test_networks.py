from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest
from fake_run import FakeRun

from harness.vmrun import errors
from harness.vmrun.networks import HostNetwork, NetworkKind, PortForwarding, Protocol

from .samples import cmd, windows

NETWORKS = (
    b"Total host networks: 3\r\n"
    b"INDEX  NAME         TYPE         DHCP         SUBNET           MASK\r\n"
    b"0      vmnet0       bridged      false        empty            empty\r\n"
    b"1      vmnet1       hostOnly     true         192.168.6.0      255.255.255.0\r\n"
    b"8      vmnet8       nat          true         192.168.80.0     255.255.255.0\r\n"
)


def test_host_networks() -> None:
    run = FakeRun().on(*cmd("listHostNetworks"), says=NETWORKS)
    assert windows(run).networks.list_host_networks() == (
        HostNetwork(0, "vmnet0", NetworkKind.BRIDGED, dhcp=False, subnet=None),
        HostNetwork(1, "vmnet1", NetworkKind.HOST_ONLY, dhcp=True, subnet=IPv4Network("192.168.6.0/24")),
        HostNetwork(8, "vmnet8", NetworkKind.NAT, dhcp=True, subnet=IPv4Network("192.168.80.0/24")),
    )


def test_a_row_that_cannot_be_read_is_not_left_out_without_a_word() -> None:
    run = FakeRun().on(*cmd("listHostNetworks"), says=NETWORKS.replace(b"hostOnly     true", b"hostOnly     -"))
    with pytest.raises(errors.UnexpectedAnswer, match="2 rows"):
        windows(run).networks.list_host_networks()


def test_port_forwardings() -> None:
    rule = PortForwarding(Protocol.TCP, 2210, IPv4Address("192.168.6.10"), 22, "ssh of k3s-master1")
    bare = PortForwarding(Protocol.UDP, 5353, IPv4Address("192.168.6.10"), 53)
    text = (
        "Total port forwardings: 2\r\n"
        "INDEX  PROTOCOL     HOST PORT    GUEST IP         GUEST PORT       DESCRIPTION\r\n"
        "0      tcp          2210         192.168.6.10     22               ssh of k3s-master1\r\n"
        "1      udp          5353         192.168.6.10     53\r\n"
    )
    run = FakeRun().on(*cmd("listPortForwardings", "vmnet8"), says=text.encode())
    run.on(*cmd("setPortForwarding", "vmnet8", "tcp", "2210", "192.168.6.10", "22", "ssh of k3s-master1"))
    run.on(*cmd("setPortForwarding", "vmnet8", "udp", "5353", "192.168.6.10", "53"))
    run.on(*cmd("deletePortForwarding", "vmnet8", "tcp", "2210"))
    driver = windows(run)
    assert driver.networks.list_port_forwardings("vmnet8") == (rule, bare)
    driver.networks.set_port_forwarding("vmnet8", rule)
    driver.networks.set_port_forwarding("vmnet8", bare)
    driver.networks.delete_port_forwarding("vmnet8", rule)
    assert len(run.calls) == 4


def test_no_port_forwarding() -> None:
    run = FakeRun().on(*cmd("listPortForwardings", "vmnet8"), says=b"Total port forwardings: 0\r\n")
    assert windows(run).networks.list_port_forwardings("vmnet8") == ()


def test_define_network_is_refused_by_a_vmrun_that_lacks_it() -> None:
    run = FakeRun().on(*cmd("defineNetwork", "VMnet1", "192.168.6.0/24"))
    windows(run).networks.define_network("VMnet1", IPv4Network("192.168.6.0/24"))
    usage = (
        "\r\nvmrun version 1.17.0 build-24583834\r\n\r\nUsage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]\r\n"
    )
    run = FakeRun().on(*cmd("defineNetwork", "VMnet1", "192.168.6.0/24"), says=usage.encode())
    with pytest.raises(errors.UsagePrinted):
        windows(run).networks.define_network("VMnet1", IPv4Network("192.168.6.0/24"))
