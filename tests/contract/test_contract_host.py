"""The host's networks and the disk tool."""

from __future__ import annotations

import re

import pytest
from vmrun_contract.behaviour import behaviour
from vmrun_contract.bench import Bench

from harness.vmrun.networks import parse_forwardings, parse_networks


@behaviour(
    "listHostNetworks", "`Total host networks: N`, a head line, one row per network; a bridge has `empty` twice", "T"
)
def test_the_hosts_networks_are_a_table(bench: Bench) -> None:
    answer = bench("listHostNetworks")
    if bench.platform == "linux" and "not available" in answer.text:
        assert answer.code != 0
        pytest.skip("VMware has no listHostNetworks on Linux")
    assert answer.code == 0
    assert re.fullmatch(r"Total host networks: \d+", answer.lines[0])
    assert answer.lines[1] == "INDEX  NAME         TYPE         DHCP         SUBNET           MASK"
    networks = parse_networks(answer.text)
    assert {network.name for network in networks} >= {"vmnet1", "vmnet8"}
    assert all(network.name == f"vmnet{network.index}" for network in networks)


@behaviour("listPortForwardings", "`Total port forwardings: N`, then the rows", "T")
def test_the_ports_that_lead_into_a_network(bench: Bench) -> None:
    answer = bench("listPortForwardings", "vmnet8")
    assert answer.code == 0
    assert answer.lines[0] == f"Total port forwardings: {len(parse_forwardings(answer.text))}"


@behaviour(
    "setPortForwarding listPortForwardings deletePortForwarding",
    "a forwarding is set without a word, listed, and deleted (on `vmrun-qemu` only: it changes the host)",
    "D",
)
def test_a_port_is_forwarded_and_not_any_more(bench: Bench) -> None:
    if bench.changes_the_host:
        pytest.skip("it would change the networks of this host")
    bench("setPortForwarding", "vmnet8", "tcp", "48022", "192.168.80.200", "22", "contract").silent()
    (row,) = parse_forwardings(bench("listPortForwardings", "vmnet8").text)
    assert (row.host_port, str(row.guest_address), row.guest_port) == (48022, "192.168.80.200", 22)
    bench("deletePortForwarding", "vmnet8", "tcp", "48022").silent()
    bench("listPortForwardings", "vmnet8").says("Total port forwardings: 0")


def created(bench: Bench, disk: str) -> None:
    """Create a disk of 8 MB."""
    done = bench.disk_tool("-c", "-s", "8MB", "-a", "lsilogic", "-t", "0", disk)
    assert done.code == 0
    printed = [line.strip() for line in done.text.split("\n") if line.strip()]
    assert (printed[0], printed[-1]) == (f"Creating disk '{disk}'", "Virtual disk creation successful.")


@behaviour("vmware-vdiskmanager", "create: `Creating disk '<path>'`, `Virtual disk creation successful.`, 0", "T")
def test_a_disk_is_created(bench: Bench) -> None:
    disk = bench.path("new.vmdk")
    created(bench, disk)
    assert bench.look("exists", disk)


@behaviour(
    "vmware-vdiskmanager", "create over a file: `Failed to create disk: The file already exists (0xc).`, not 0", "TP",
    settles="disk-failure-stream disk-failure-status",
)  # fmt: skip
def test_a_disk_is_not_created_over_a_file(bench: Bench) -> None:
    disk = bench.path("new.vmdk")
    bench.write(disk, "precious")
    done = bench.disk_tool("-c", "-s", "8MB", "-a", "lsilogic", "-t", "0", disk)
    failure = "Failed to create disk: The file already exists (0xc)."
    assert failure in done.text + done.err
    assert done.code != 0
    bench.settle("disk-failure-stream", "stdout" if failure in done.text else "stderr")
    bench.settle("disk-failure-status", str(done.raw))
    assert bench.look("text", disk) == "precious"


@behaviour(
    "vmware-vdiskmanager", "expand: `Disk expansion completed successfully.`; smaller: `… invalid (0x3e80).`", "T"
)
def test_a_disk_grows_and_does_not_shrink(bench: Bench) -> None:
    disk = bench.path("new.vmdk")
    created(bench, disk)
    grown = bench.disk_tool("-x", "16MB", disk)
    assert grown.code == 0
    assert "Disk expansion completed successfully." in grown.text
    smaller = bench.disk_tool("-x", "8MB", disk)
    assert smaller.code != 0
    assert f"Failed to expand the disk '{disk}': One of the parameters supplied is invalid (0x3e80)." in (
        smaller.text + smaller.err
    )


@behaviour("vmware-vdiskmanager", "convert: `Virtual disk conversion successful.`; of another file: `(0x3ebf).`", "T")
def test_a_disk_is_converted(bench: Bench) -> None:
    disk, other = bench.path("new.vmdk"), bench.path("other.vmdk")
    created(bench, disk)
    done = bench.disk_tool("-r", disk, "-t", "0", other)
    assert done.code == 0
    assert "Virtual disk conversion successful." in done.text
    assert bench.look("exists", other)
    text = bench.path("note.txt")
    bench.write(text, "no disk\n" * 100)
    failed = bench.disk_tool("-r", text, "-t", "0", bench.path("third.vmdk"))
    assert failed.code != 0
    assert "The specified file is not a virtual disk (0x3ebf)." in failed.text + failed.err
