"""A healthy guest of Ubuntu's installer, of a seed that was built elsewhere, over a whole session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .fake_guest_shell import FakeShellGuest
from .fake_lab import EVENTS, FakeLab

pytest_plugins = ("pytester",)
WORKER = "k3s-worker1"
DISABLED = {"status": "disabled", "detail": "Cloud-init disabled by /etc/cloud/cloud-init.disabled", "errors": []}
FIRST_BOOT = {
    "status": "done",
    "detail": "DataSourceNone",
    "errors": [],
    "recoverable_errors": {"WARNING": ["Used fallback datasource"]},
}


@pytest.mark.same_on_every_system
def test_a_guest_of_ubuntu_24_04_is_green(fake_lab: FakeLab) -> None:
    """Its account has a password that no login takes, and after the first boot cloud-init is off."""
    seed = fake_lab.seeds / fake_lab.spec.machines[WORKER].seed
    seed.write_bytes(
        seed.read_bytes().replace(b"airgap-lab-seed/", b"another-s-seeds/").replace(b"autoinstall", b"nocloudseed")
    )
    state = fake_lab.guests[WORKER]
    state.silent |= set(EVENTS)
    state.identity["installer_runs"] = ""
    state.says |= {
        f"# cat {fake_lab.spec.markers.iso_copy}": (0, "copied\n"),
        "# test -s /run/cloud-init/result.json": (0, ""),
        "# cloud-init status --format=json": (2, json.dumps(FIRST_BOOT)),
        "# grep -qs '^datasource_list:.*None' /etc/cloud/cloud.cfg.d/99-installer.cfg": (0, ""),
        f"# passwd --status {fake_lab.spec.ssh.user}": (0, "ubuntu P 2026-01-12 0 99999 7 -1\n"),
    }

    def later(guest: FakeShellGuest, _vmx: Path) -> None:
        inventory = next(command for command in guest.answers if "== $1" in command)
        status, text = guest.answers[inventory]
        guest.answers[inventory] = (status, text.replace("/home/ubuntu locked", "/home/ubuntu password"))
        if state.boots > 1:
            guest.answers.update(
                {
                    "# test -s /run/cloud-init/result.json": (1, ""),
                    "# test -e /etc/cloud/cloud-init.disabled": (0, ""),
                    "# test -e /run/cloud-init/enabled": (1, ""),
                    "# systemctl is-system-running": (0, "running\n"),
                    "# cloud-init status --format=json": (0, json.dumps(DISABLED)),
                }
            )

    state.fault = later
    assert fake_lab.run("-k", WORKER).ret == 0
    assert fake_lab.unknown_commands() == []
