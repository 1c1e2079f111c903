"""What `vmrun` answers, as typed values. Pure: text in, values out; a text that fits no reading raises.

Line ends and code pages are settled before (`harness.process.decode`). Formats are those of Workstation 15 to 25H2
and Fusion 12 to 13, whose `vmrun` calls itself 1.17.0 throughout.
"""

from __future__ import annotations

import json
import ntpath
import os
import posixpath
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, ip_address


class Display(StrEnum):
    """Whether `start` opens a window of Workstation."""

    GUI = "gui"
    NOGUI = "nogui"


class StopMode(StrEnum):
    """How power goes: `soft` asks VMware Tools in the guest, `hard` cuts it."""

    SOFT = "soft"
    HARD = "hard"


class ToolsState(StrEnum):
    """VMware Tools in the guest: `installed` means known but not answering now."""

    UNKNOWN = "unknown"
    INSTALLED = "installed"
    RUNNING = "running"


class NetworkKind(StrEnum):
    """The type column of `listHostNetworks`; OTHER is a word that is not known here."""

    BRIDGED = "bridged"
    HOST_ONLY = "hostOnly"
    NAT = "nat"
    OTHER = "other"


class Protocol(StrEnum):
    """What a port forwarding carries."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True)
class HostNetwork:
    """One virtual network of the host; `subnet` is None where VMware says `empty` (a bridge)."""

    index: int
    name: str
    kind: NetworkKind
    dhcp: bool
    subnet: IPv4Network | None


@dataclass(frozen=True)
class PortForwarding:
    """One port of the host that leads to a port of a guest."""

    protocol: Protocol
    host_port: int
    guest_address: IPv4Address
    guest_port: int
    description: str = ""


@dataclass(frozen=True)
class VmrunVersion:
    """`vmrun version 1.17.0 build-24583834`: the build names the product, the version does not."""

    version: str
    build: int

    @property
    def product(self) -> str:
        """The product of that build, or an empty text for a build that is not known here."""
        return _PRODUCTS.get(self.build, "")

    def __str__(self) -> str:
        return f"{self.product or 'VMware'} (vmrun {self.version} build-{self.build})"


_PRODUCTS = {
    16341506: "VMware Workstation 15.5.6",
    17195230: "VMware Fusion 12",
    17198959: "VMware Workstation 16.1.0",
    23775571: "VMware Workstation 17.5.2",
    24583834: "VMware Workstation 17.6.3",
    24995812: "VMware Workstation 25H2",
    25688693: "VMware Workstation 26H1U1",
}

_BOX_LINES = 12
_BOX_NOISE = re.compile(r"\[(?:msg|vob)\.[^\]]*\]|-{4,}$")

_VERSION = re.compile(r"^vmrun version (\d+(?:\.\d+)*) build-(\d+)", re.MULTILINE)
_RUNNING = re.compile(r"^Total running VMs:\s*(\d+)\s*$")
_NETWORK = re.compile(r"^\s*(\d+)\s+(\S+)\s+(\S+)\s+(true|false)(?:\s+(\S+)\s+(\S+))?\s*$", re.IGNORECASE)
_FORWARDING = re.compile(r"^\s*\d+\s+(tcp|udp)\s+(\d+)\s+(\d+(?:\.\d+){3})\s+(\d+)(?:\s+(.*?))?\s*$", re.IGNORECASE)


def parse_version(text: str) -> VmrunVersion | None:
    """Return the version that heads the usage text, or None."""
    match = _VERSION.search(text)
    return VmrunVersion(match[1], int(match[2])) if match else None


def parse_running(text: str) -> tuple[str, ...]:
    """Return the VMX paths of `list`, as vmrun spells them.

    A trailing ` (running)`, which one description has and no capture shows, is left out.

    Raises:
        ValueError: There is no line `Total running VMs: N`.
    """
    lines = text.splitlines()
    heads = [index for index, line in enumerate(lines) if _RUNNING.match(line)]
    if not heads:
        raise ValueError("no line `Total running VMs: N`")
    return tuple(line.strip().removesuffix(" (running)") for line in lines[heads[0] + 1 :] if line.strip())


def parse_tools_state(text: str) -> ToolsState | None:
    """Return the state that `checkToolsState` printed, or None where it printed another thing."""
    word = _last_line(text).lower()
    return ToolsState(word) if word in {state.value for state in ToolsState} else None


def parse_guest_address(text: str) -> IPv4Address | None:
    """Return the address of `getGuestIPAddress`; None for the word `unknown`, an empty line and IPv6.

    Raises:
        ValueError: It is neither an address nor one of those.
    """
    word = _last_line(text)
    if word.lower() in ("", "unknown"):
        return None
    address = ip_address(word)
    return address if isinstance(address, IPv4Address) and not address.is_unspecified else None


def parse_networks(text: str) -> tuple[HostNetwork, ...]:
    """Return the rows of `listHostNetworks` (INDEX NAME TYPE DHCP SUBNET MASK).

    Raises:
        ValueError: There is no line `Total host networks: N`, or fewer rows than it says.
    """
    rows = _counted_rows(text, "Total host networks", _NETWORK)
    return tuple(
        HostNetwork(int(row[1]), row[2], _kind(row[3]), row[4].lower() == "true", _subnet(row[5], row[6]))
        for row in rows
    )


def parse_forwardings(text: str) -> tuple[PortForwarding, ...]:
    """Return the rows of `listPortForwardings` (INDEX, PROTOCOL, HOST PORT, GUEST IP, GUEST PORT, DESCRIPTION).

    Raises:
        ValueError: There is no line `Total port forwardings: N`, or fewer rows than it says.
    """
    rows = _counted_rows(text, "Total port forwardings", _FORWARDING)
    return tuple(
        PortForwarding(Protocol(row[1].lower()), int(row[2]), IPv4Address(row[3]), int(row[4]), row[5] or "")
        for row in rows
    )


def parse_about(text: str) -> dict[str, object]:
    """Return the JSON object of vmrun-qemu's `about`.

    Raises:
        ValueError: It is no JSON object.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  (as every reading here)
    return value


def error_box(log: str) -> str:
    """Return the last error box of a vmware.log in one line, or an empty text.

    A box is `Msg_Post: Error`, then lines `[msg.some.id] text` and their continuations, then a line of dashes; every
    line has a prefix of the same width (time, thread, level).
    """
    lines = log.splitlines()
    heads = [index for index, line in enumerate(lines) if "Msg_Post: Error" in line]
    if not heads:
        return ""
    width = lines[heads[-1]].index("Msg_Post: Error")
    found = []
    for line in lines[heads[-1] + 1 : heads[-1] + _BOX_LINES]:
        start = re.search(r"\[(?:msg|vob)\.", line)
        text = line[start.start() if start else width :]
        found.append(_BOX_NOISE.sub("", text).strip())
        if text.endswith("----"):
            break
    return " ".join(part for part in found if part)


def path_identity(path: str | os.PathLike[str], platform: str) -> str:
    """Return a text that is equal for two spellings of one VMX path, without touching the file system.

    Windows compares without case, with `/` for `\\`; macOS without case.
    """
    text = os.fspath(path)
    if platform == "win32":
        return ntpath.normcase(ntpath.normpath(text.removeprefix("\\\\?\\")))
    text = posixpath.normpath(text)
    return text.casefold() if platform == "darwin" else text


def same_vmx(one: str | os.PathLike[str], other: str | os.PathLike[str], platform: str) -> bool:
    """Return whether both name one file: by their spelling, or by the file system (links, 8.3 names)."""
    if path_identity(one, platform) == path_identity(other, platform):
        return True
    try:
        if os.path.samefile(one, other):  # noqa: PTH121  (a str of vmrun, which need not be a path of this host)
            return True
    except (OSError, ValueError):
        pass
    return path_identity(os.path.realpath(one), platform) == path_identity(os.path.realpath(other), platform)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _counted_rows(text: str, title: str, row: re.Pattern[str]) -> list[re.Match[str]]:
    head = re.search(rf"^{title}:\s*(\d+)\s*$", text, re.MULTILINE)
    if head is None:
        raise ValueError(f"no line `{title}: N`")
    rows = [match for line in text[head.end() :].splitlines() if (match := row.match(line))]
    if len(rows) != int(head[1]):
        raise ValueError(f"`{head[0].strip()}`, but {len(rows)} rows can be read")
    return rows


def _kind(word: str) -> NetworkKind:
    known = {kind.value.lower(): kind for kind in NetworkKind}
    return known.get(word.lower(), NetworkKind.OTHER)


def _subnet(address: str | None, mask: str | None) -> IPv4Network | None:
    try:
        return IPv4Network(f"{address}/{mask}", strict=False)
    except ValueError:
        return None
