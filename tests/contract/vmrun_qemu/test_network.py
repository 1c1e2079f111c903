"""The virtual network: start, end, and forwarded ports."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psutil
from qemu_lab import Vmrun, eventually, vmrun_fixture  # noqa: F401 - pytest finds the fixture here


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex(("127.0.0.1", port)) == 0


def forward(vmrun: Vmrun, port: int, guest: str = "192.168.6.10") -> tuple[int, str]:
    return vmrun("setPortForwarding", "vmnet1", "tcp", str(port), guest, "22", "ssh")


def test_networks_are_listed_and_defined(vmrun: Vmrun) -> None:
    vmrun.env["VMRUN_QEMU_NETWORKS"] = "VMnet2=10.1.0.0/16"
    vmrun.ok("defineNetwork", "VMnet3", "172.16.5.0/24", "nat")
    vmrun.ok("defineNetwork", "vmnet3", "172.16.5.0/24")
    assert vmrun.ok("listHostNetworks").splitlines() == [
        "Total host networks: 4",
        "INDEX  NAME         TYPE         DHCP         SUBNET           MASK",
        "1      vmnet1       hostOnly     true         192.168.6.0      255.255.255.0",
        "2      vmnet2       hostOnly     true         10.1.0.0         255.255.0.0",
        "3      vmnet3       nat          true         172.16.5.0       255.255.255.0",
        "8      vmnet8       nat          true         192.168.80.0     255.255.255.0",
    ]
    for words in (
        ["vmnet99", "10.0.0.0/24"],
        ["vmnet2", "10.0.0.1/24"],
        ["vmnet2", "nonsense"],
        ["vmnet2", "1.2.3.4/31"],
    ):
        code, output = vmrun("defineNetwork", *words)
        assert (code, output[:7]) == (255, "Error: ")


def test_a_network_in_use_keeps_its_subnet(vmrun: Vmrun) -> None:
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    vmrun.ok("defineNetwork", "vmnet1", "192.168.6.0/24")
    code, output = vmrun("defineNetwork", "vmnet1", "192.168.7.0/24")
    assert (code, "in use" in output) == (255, True)


def test_a_forwarded_port_outlives_its_machines_and_leads_nowhere_while_they_are_off(vmrun: Vmrun) -> None:
    port = free_port()
    assert vmrun.ok("listPortForwardings", "VMnet1") == "Total port forwardings: 0\n"
    assert forward(vmrun, port) == (0, "")
    assert forward(vmrun, port) == (0, "")
    assert vmrun.ok("listPortForwardings", "VMnet1").splitlines() == [
        "Total port forwardings: 1",
        "INDEX  PROTOCOL     HOST PORT    GUEST IP         GUEST PORT   DESCRIPTION",
        f"0      tcp          {port:<12} 192.168.6.10     22           ssh",
    ]
    assert not listens(port)
    vmx = vmrun.machine("one")
    for _ in range(2):
        vmrun.ok("start", vmx, "nogui")
        assert listens(port)
        vmrun.ok("stop", vmx, "hard")
        assert not listens(port)
    vmrun.ok("start", vmx, "nogui")
    vmrun.ok("deletePortForwarding", "vmnet1", "tcp", str(port))
    assert not listens(port)
    assert vmrun("deletePortForwarding", "vmnet1", "tcp", str(port))[0] == 255


def test_a_port_can_be_forwarded_and_moved_while_the_network_is_up(vmrun: Vmrun) -> None:
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    port = free_port()
    assert forward(vmrun, port) == (0, "")
    assert listens(port)
    assert forward(vmrun, port, "192.168.6.11") == (0, "")
    assert "192.168.6.11" in vmrun.ok("listPortForwardings", "vmnet1")
    assert listens(port)


def test_a_port_in_use_is_refused_and_not_remembered(vmrun: Vmrun) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        taken = f"Error: The host port {port}/tcp is already in use"
        assert forward(vmrun, port) == (255, taken + "\n")
        vmrun.ok("start", vmrun.machine("one"), "nogui")
        code, output = forward(vmrun, port)
        assert (code, output.startswith(f"{taken}: Could not set up host forwarding rule")) == (255, True), output
        assert vmrun.ok("listPortForwardings", "vmnet1") == "Total port forwardings: 0\n"


def test_a_udp_port_in_use_is_refused(vmrun: Vmrun) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        words = ["setPortForwarding", "vmnet8", "udp", str(port), "192.168.80.10", "53"]
        assert vmrun(*words) == (255, f"Error: The host port {port}/udp is already in use\n")
        vmrun.ok("start", vmrun.machine("one", 'ethernet0.connectionType = "nat"\nethernet0.vnet = ""\n'), "nogui")
        code, output = vmrun(*words)
        assert (code, output.startswith(f"Error: The host port {port}/udp is already in use: Could not set up")) == (
            255,
            True,
        )
    assert vmrun(*words) == (0, "")


def test_answers_over_udp_cannot_leave_a_closed_network_so_nothing_is_forwarded(vmrun: Vmrun) -> None:
    code, output = vmrun("setPortForwarding", "vmnet1", "udp", "5353", "192.168.6.10", "53")
    assert (code, output.startswith("Error: The operation is not supported: vmnet1 is host-only")) == (255, True)
    assert vmrun.ok("listPortForwardings", "vmnet1") == "Total port forwardings: 0\n"


def test_two_homes_have_networks_and_ports_of_their_own(vmrun: Vmrun, tmp_path: Path) -> None:
    port, other = free_port(), Vmrun(tmp_path / "other" / "home", tmp_path / "other" / "vms")
    try:
        forward(vmrun, port)
        vmrun.ok("start", vmrun.machine("one"), "nogui")
        assert other.ok("listPortForwardings", "vmnet1") == "Total port forwardings: 0\n"
        assert forward(other, port) == (255, f"Error: The host port {port}/tcp is already in use\n")
        second = free_port()
        assert forward(other, second) == (0, "")
        vmx = other.machine("two")
        other.ok("start", vmx, "nogui")
        assert listens(port)
        assert listens(second)
        assert other.switch()["qemu"] != vmrun.switch()["qemu"]
        other.ok("stop", vmx, "hard")
        assert listens(port)
        assert not listens(second)
    finally:
        other.end_all()


def test_a_remembered_port_that_was_taken_meanwhile_cancels_the_start(vmrun: Vmrun) -> None:
    port = free_port()
    forward(vmrun, port)
    vmx = vmrun.machine("one")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        assert vmrun("start", vmx, "nogui") == (255, "Error: The operation was canceled\n")
        assert str(port) in (vmx.parent / "vmware.log").read_text(encoding="utf-8").partition("Msg_Post: Error")[2]
        assert vmrun.processes() == []
    vmrun.ok("start", vmx, "nogui")


def test_wrong_parameters_are_refused(vmrun: Vmrun) -> None:
    for words in (
        ["vmnet1", "icmp", "2222", "192.168.6.10", "22"],
        ["vmnet1", "tcp", "0", "192.168.6.10", "22"],
        ["vmnet1", "tcp", "2222", "192.168.7.10", "22"],
        ["vmnet1", "tcp", "2222", "here", "22"],
        ["ethernet", "tcp", "2222", "192.168.6.10", "22"],
    ):
        code, output = vmrun("setPortForwarding", *words)
        assert (code, output[:7]) == (255, "Error: "), words


def test_the_network_ends_with_its_last_machine(vmrun: Vmrun) -> None:
    one, two = vmrun.machine("one"), vmrun.machine("two")
    vmrun.ok("start", one, "nogui")
    daemon = vmrun.switch()["daemon"]
    vmrun.ok("start", two, "nogui")
    vmrun.ok("stop", one, "hard")
    assert vmrun.switch()["daemon"] == daemon
    assert psutil.pid_exists(daemon["pid"])
    vmrun.ok("stop", two, "hard")
    assert vmrun.processes() == []


def test_a_switch_that_dies_is_replaced_under_running_machines(vmrun: Vmrun) -> None:
    port = free_port()
    forward(vmrun, port)
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    before = vmrun.switch()["qemu"]
    psutil.Process(before["pid"]).kill()
    assert eventually(lambda: (vmrun.home / "net/vmnet1/switch.json").exists() and vmrun.switch()["qemu"] != before)
    assert eventually(lambda: listens(port))


def test_a_killed_daemon_is_replaced_by_the_next_machine(vmrun: Vmrun) -> None:
    vmrun.ok("start", vmrun.machine("one"), "nogui")
    before = vmrun.switch()
    psutil.Process(before["daemon"]["pid"]).kill()
    vmrun.ok("start", vmrun.machine("two"), "nogui")
    assert vmrun.switch()["daemon"] != before["daemon"]
    members = [json.loads(file.read_text()) for file in (vmrun.home / "net/vmnet1/members").glob("*.json")]
    assert len(members) == 2


def test_the_network_ends_when_every_machine_is_killed(vmrun: Vmrun) -> None:
    vmx = vmrun.machine("one")
    vmrun.ok("start", vmx, "nogui")
    psutil.Process(vmrun.record(vmx)["supervisor"]["pid"]).kill()
    assert eventually(lambda: not (vmrun.home / "net/vmnet1/switch.json").exists())
    assert eventually(lambda: vmrun.processes() == [])
    vmrun.ok("list")
