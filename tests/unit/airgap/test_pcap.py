"""pcap files become packets, whole or cut short."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv4Network

import pytest

from harness.airgap.pcap import Packet, is_outside, read_pcap

SUBNET = IPv4Network("192.168.6.0/24")
GUEST, OUTSIDE = IPv4Address("192.168.6.10"), IPv4Address("198.51.100.7")


def pcap(*frames: bytes, order: str = "<", link: int = 1) -> bytes:
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65536, link)
    return head + b"".join(struct.pack(f"{order}IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames)


def frame(source: IPv4Address, target: IPv4Address, protocol: int, rest: bytes, *, words: int = 5) -> bytes:
    head = bytes([0x40 | words]) + bytes(8) + bytes([protocol]) + bytes(2) + source.packed + target.packed
    return bytes(12) + b"\x08\x00" + head + bytes(4 * (words - 5)) + rest


def tcp(source_port: int, target_port: int, flags: int) -> bytes:
    return struct.pack(">HHIIBB", source_port, target_port, 0, 0, 0x50, flags) + bytes(6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_packets_are_read_in_either_byte_order(order: str) -> None:
    data = pcap(
        frame(GUEST, OUTSIDE, 17, struct.pack(">HHHH", 4000, 53, 8, 0)),
        frame(OUTSIDE, GUEST, 6, tcp(443, 4001, 0x14)),
        frame(GUEST, OUTSIDE, 1, bytes(8)),
        order=order,
    )
    assert list(read_pcap(data)) == [
        Packet(GUEST, OUTSIDE, "udp", 4000, 53),
        Packet(OUTSIDE, GUEST, "tcp", 443, 4001, reset=True),
        Packet(GUEST, OUTSIDE, "icmp"),
    ]


def test_options_of_the_ip_header_are_stepped_over() -> None:
    (packet,) = read_pcap(pcap(frame(GUEST, OUTSIDE, 6, tcp(4001, 443, 0x02), words=7)))
    assert (packet.source_port, packet.target_port, packet.reset) == (4001, 443, False)


def test_frames_that_are_not_ipv4_are_passed_over() -> None:
    arp = bytes(12) + b"\x08\x06" + bytes(46)
    assert list(read_pcap(pcap(arp, b"short", frame(GUEST, OUTSIDE, 1, b"")))) == [Packet(GUEST, OUTSIDE, "icmp")]


def test_a_file_that_is_being_written_is_read_up_to_its_last_whole_frame() -> None:
    whole = pcap(frame(GUEST, OUTSIDE, 1, bytes(8)))
    both = pcap(frame(GUEST, OUTSIDE, 1, bytes(8)), frame(GUEST, OUTSIDE, 17, bytes(8)))
    for length in range(len(whole), len(both)):
        assert len(list(read_pcap(both[:length]))) == 1


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2\xa1", b"no pcap file at all, but long enough", pcap(link=113)])
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="pcap"):
        list(read_pcap(data))


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("192.168.6.1", False),
        ("192.168.6.255", False),
        ("255.255.255.255", False),
        ("224.0.0.251", False),
        ("0.0.0.0", False),
        ("192.168.7.1", True),
        ("127.0.0.1", True),
        ("198.51.100.7", True),
    ],
)
def test_addresses_outside_the_network(address: str, outside: bool) -> None:
    assert is_outside(IPv4Address(address), SUBNET) is outside
