"""Read the IPv4 packets of pcap files. Pure.

Formats: libpcap's classic file (pcap-savefile(5)), Ethernet II (IEEE 802.3), IPv4 (RFC 791), TCP (RFC 9293), UDP (RFC
768). A file that ends in the middle of a record is read up to there: the recorder may still be writing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

_MAGIC = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}
_ETHERNET, _IPV4 = 1, 0x0800
_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp"}
_RESET = 0x04


@dataclass(frozen=True)
class Packet:
    """An IPv4 packet.

    Ports are 0 without TCP or UDP, `reset` is TCP's flag RST.
    """

    source: IPv4Address
    target: IPv4Address
    protocol: str
    source_port: int = 0
    target_port: int = 0
    reset: bool = False

    def __str__(self) -> str:
        ports = (f":{self.source_port}", f":{self.target_port}") if self.protocol in ("tcp", "udp") else ("", "")
        return f"{self.protocol} {self.source}{ports[0]} -> {self.target}{ports[1]}"


def read_pcap(data: bytes) -> Iterator[Packet]:
    """Yield the IPv4 packets of a pcap file of Ethernet frames.

    Raises:
        ValueError: It is not such a file.
    """
    order = _MAGIC.get(data[:4])
    if order is None or len(data) < 24:
        raise ValueError("no pcap file")
    if struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF != _ETHERNET:
        raise ValueError("a pcap file of something else than Ethernet")
    place = 24
    while place + 16 <= len(data):
        (kept,) = struct.unpack_from(f"{order}I", data, place + 8)
        frame = data[place + 16 : place + 16 + kept]
        place += 16 + kept
        packet = _packet(frame) if len(frame) == kept else None
        if packet is not None:
            yield packet


def _packet(frame: bytes) -> Packet | None:
    if len(frame) < 34 or struct.unpack_from(">H", frame, 12)[0] != _IPV4:
        return None
    head = (frame[14] & 0x0F) * 4
    protocol = _PROTOCOLS.get(frame[23], f"protocol {frame[23]}")
    source, target = IPv4Address(frame[26:30]), IPv4Address(frame[30:34])
    rest = frame[14 + head :]
    if protocol not in ("tcp", "udp") or len(rest) < 4:
        return Packet(source, target, protocol)
    source_port, target_port = struct.unpack_from(">HH", rest)
    reset = protocol == "tcp" and len(rest) > 13 and bool(rest[13] & _RESET)
    return Packet(source, target, protocol, source_port, target_port, reset)


def is_outside(address: IPv4Address, subnet: IPv4Network) -> bool:
    """Return whether an address is outside: not local, broadcast, multicast or unspecified."""
    local = address in subnet or address.is_multicast or address.is_unspecified
    return not local and address != IPv4Address("255.255.255.255")
