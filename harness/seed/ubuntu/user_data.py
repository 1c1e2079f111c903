"""Autoinstall data of a guest for Ubuntu's installer."""

from __future__ import annotations

import shlex
from typing import Any

from harness.config.model import DATA_LABEL
from harness.seed.cloud_config import guest_settings, network
from harness.seed.model import SeedSpec
from harness.seed.yaml_text import yaml_text

# Where the installer mounts the data ISO.
_SEED = "/run/lab-seed"
_EVENT = f"sh {_SEED}/installer/lab-event.sh"
_LOGS = "/var/log/installer/curtin-install.log /var/log/installer/subiquity-server-debug.log"


def user_data(spec: SeedSpec) -> str:
    """Return the text of `user-data`: the installer's settings, in them those of the guest."""
    return "#cloud-config\n" + yaml_text({"autoinstall": _autoinstall(spec)})


def _autoinstall(spec: SeedSpec) -> dict[str, Any]:
    return {
        "version": 1,
        "refresh-installer": {"update": False},
        "apt": {"geoip": False, "fallback": "offline-install"},
        # The guest's swap is one of its settings: the installer makes none.
        "storage": {"layout": {"name": "direct"}, "swap": {"size": 0}},
        "network": network(spec),
        "ssh": {"install-server": True, "allow-pw": spec.password_ssh},
        "user-data": _guest(spec),
        "early-commands": [
            f"mkdir -p {_SEED} && mount -o ro /dev/disk/by-label/{DATA_LABEL} {_SEED}",
            f"{_EVENT} installer-start",
        ],
        "late-commands": [_late_command(spec)],
        "error-commands": [
            f"{_EVENT} installer-failed reason=autoinstall",
            f"tail -n 60 {_LOGS} > /dev/ttyS0 || :",
        ],
    }


def _guest(spec: SeedSpec) -> dict[str, Any]:
    """Return the settings of the guest.

    Its resolver is systemd's, which netplan configures: /etc/resolv.conf is a link there.
    """
    settings = guest_settings(spec)
    return {**settings, "write_files": [file for file in settings["write_files"] if file["path"] != "/etc/resolv.conf"]}


def _late_command(spec: SeedSpec) -> str:
    payload, marker = (f"/target{path}" for path in (spec.paths.payload, spec.paths.iso_copy))
    return shlex.join(["sh", f"{_SEED}/installer/late.sh", _SEED, payload, marker])
