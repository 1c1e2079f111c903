"""Devices of a VMX against those of its plan. Pure.

A device is present when its key `NAME.present` is true; `NAME` is, for example, `ethernet1`, `sata0:2`, `usb_xhci`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_PRESENT = re.compile(r"(?P<name>[^.]+)\.present")
_FALSE = ("", "FALSE", "0", "NO", "OFF", "N", "F")
# Devices that Workstation adds by itself or shows in every VM; none of them leads anywhere.
_HARMLESS = re.compile(r"pcibridge\d+|vmci\d+|hpet\d+|svga|smc|toolsinstallmanager")
# Settings, outside of devices, that open the VM to others; each is off where it is missing.
_OPENINGS = re.compile(r"remotedisplay\.vnc\.enabled|debugstub\.listen\.\S+")
# Keys that decide what a planned device is or leads to, and the values that change nothing.
_DECISIVE = {
    "devicetype": ("disk", "ata-harddisk", "scsi-harddisk"),
    "mode": ("persistent",),
    "filename": (),
    "filetype": (),
    "connectiontype": (),
    "vnet": (),
    "networkname": (),
    "pipe.endpoint": (),
    "network.endpoint": (),
}
_SHOWN = ("connectionType", "vnet", "deviceType", "fileType", "fileName", "hostPath")


def vmx_differences(planned: Mapping[str, str], read: Mapping[str, str], ignored: Collection[str] = ()) -> list[str]:
    """Return how a VMX differs from its plan: planned keys, and further devices.

    Other keys are allowed: VMware writes its own.

    Args:
        planned: The planned keys.
        read: The keys of the VMX.
        ignored: Keys, in lower case, that may have any value.
    """
    there, plan = _lower(read), _lower(planned)
    changed = [
        f"{key} is {there.get(key.lower(), 'missing')!r}, not {value!r}"
        for key, value in planned.items()
        if key.lower() not in ignored and there.get(key.lower()) != value
    ]
    return [*changed, *_unplanned(plan, there, read)]


def _unplanned(plan: Mapping[str, str], there: Mapping[str, str], read: Mapping[str, str]) -> list[str]:
    known = _devices(plan)
    further = {name for name in _devices(there) - known if not _HARMLESS.fullmatch(name)}
    found = [f"{name} is not planned{_described(name, there)}" for name in sorted(further)]
    for key, value in read.items():
        lower = key.lower()
        name, _, part = lower.partition(".")
        opened = _OPENINGS.fullmatch(lower) and value.strip().upper() not in _FALSE
        turned = name in known and part in _DECISIVE and lower not in plan and value.lower() not in _DECISIVE[part]
        if opened or (turned and value):
            found.append(f"{key} is {value!r}, and is not planned")
    return found


def _devices(keys: Mapping[str, str]) -> set[str]:
    matches = ((_PRESENT.fullmatch(key), value) for key, value in keys.items())
    return {match["name"] for match, value in matches if match and value.strip().upper() not in _FALSE}


def _described(name: str, there: Mapping[str, str]) -> str:
    parts = [f"{part} {value!r}" for part in _SHOWN if (value := there.get(f"{name}.{part.lower()}"))]
    return f" ({', '.join(parts)})" if parts else ""


def _lower(keys: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in keys.items()}
