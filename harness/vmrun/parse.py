"""Parse the output of `vmrun` into typed values.

Line ends and code pages are decoded before (`harness.core.text.decode`). Formats are those of Workstation 15 to 25H2
and Fusion 12 to 13, whose `vmrun` reports version 1.17.0 throughout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, ip_address

from harness.core.json_text import parse_json


class Display(StrEnum):
    """Whether `start` opens a window of Workstation."""

    GUI = "gui"
    NOGUI = "nogui"


class StopMode(StrEnum):
    """How to power off: `soft` asks VMware Tools, `hard` cuts the power."""

    SOFT = "soft"
    HARD = "hard"


class ToolsState(StrEnum):
    """The state of VMware Tools; `installed` means known but not answering."""

    UNKNOWN = "unknown"
    INSTALLED = "installed"
    RUNNING = "running"


@dataclass(frozen=True)
class VmrunVersion:
    """The version of a `vmrun`, as `vmrun version 1.17.0 build-24583834`.

    The build identifies the product, the version does not.
    """

    version: str
    build: int

    @property
    def product(self) -> str:
        """The product of that build; empty for an unknown build."""
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

_VERSION = re.compile(r"^vmrun version (\d+(?:\.\d+)*) build-(\d+)", re.MULTILINE)


def parse_version(text: str) -> VmrunVersion | None:
    """Parse the version above the usage text; None without one."""
    match = _VERSION.search(text)
    return VmrunVersion(match[1], int(match[2])) if match else None


def parse_running(text: str) -> tuple[str, ...]:
    """Parse the VMX paths of `list`, as vmrun spells them.

    A trailing ` (running)`, which one description has and no capture shows, is removed. Lines that are no paths of VMX
    files are skipped.

    Raises:
        ValueError: There is no line `Total running VMs: N`, or not N paths.
    """
    count, lines = parse_counted(text, "Total running VMs")
    rows = [line.strip().removesuffix(" (running)") for line in lines if line.strip()]
    if len(rows) != count and not any(row.startswith("Error:") for row in rows):
        rows = [row for row in rows if row.lower().endswith(".vmx")]
    if len(rows) != count:
        raise ValueError(f"`Total running VMs: {count}`, but {len(rows)} paths can be read")
    return tuple(rows)


def parse_tools_state(text: str) -> ToolsState | None:
    """Parse the state of `checkToolsState`; None for another output."""
    word = _last_line(text).lower()
    return ToolsState(word) if word in {state.value for state in ToolsState} else None


def parse_guest_address(text: str) -> IPv4Address | None:
    """Parse the address of `getGuestIPAddress`.

    None for the word `unknown`, an empty line and IPv6.

    Raises:
        ValueError: It is neither an address nor one of those.
    """
    word = _last_line(text)
    if word.lower() in ("", "unknown"):
        return None
    address = ip_address(word)
    return address if isinstance(address, IPv4Address) and not address.is_unspecified else None


def parse_about(text: str) -> dict[str, object]:
    """Parse the JSON object of vmrun-qemu's `about`.

    Raises:
        ValueError: It is no JSON object.
    """
    value = parse_json(text)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  (as every parser here)
    return value


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def parse_counted(text: str, title: str) -> tuple[int, list[str]]:
    """Parse a line `<title>: N`; return N and the lines after it.

    Raises:
        ValueError: There is no such line.
    """
    head = re.search(rf"^{title}:[ \t]*(\d{{1,6}})[ \t]*$", text, re.MULTILINE)
    if head is None:
        raise ValueError(f"no line `{title}: N`")
    return int(head[1]), text[head.end() :].split("\n")[1:]
