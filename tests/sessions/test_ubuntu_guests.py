"""A healthy guest of Ubuntu's installer, over a whole session."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from seed.ubuntu.live_iso import live_iso

from harness.config import load_lab
from harness.config.model import UBUNTU_INSTALLER
from harness.image.package_repository import DebPackage
from harness.payload.collect import CollectedFile
from harness.seed.ubuntu.data_iso import build_data_isos
from harness.seed.ubuntu.installer_iso import make_installer_iso
from harness.vmware.vmx import Vmx

from .fake_guest_shell import FakeShellGuest
from .fake_lab import EVENTS, FakeLab, seed_inputs

pytest_plugins = ("pytester",)
WORKER = "k3s-worker1"
DISABLED = {"status": "disabled", "detail": "Cloud-init disabled by /etc/cloud/cloud-init.disabled", "errors": []}
FIRST_BOOT = {
    "status": "done",
    "detail": "DataSourceNone",
    "errors": [],
    "recoverable_errors": {"WARNING": ["Used fallback datasource"]},
}


def behave_as_ubuntu(fake_lab: FakeLab) -> None:
    """Let the worker behave as a guest that Ubuntu's installer made."""
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


@pytest.mark.same_on_every_system
def test_a_guest_of_ubuntu_24_04_is_green(fake_lab: FakeLab) -> None:
    """Its account has a password that no login takes, and after the first boot cloud-init is off."""
    seed = fake_lab.seeds / fake_lab.spec.machines[WORKER].seed
    seed.write_bytes(
        seed.read_bytes().replace(b"airgap-lab-seed/", b"another-s-seeds/").replace(b"autoinstall", b"nocloudseed")
    )
    behave_as_ubuntu(fake_lab)
    assert fake_lab.run("-k", WORKER).ret == 0
    assert fake_lab.unknown_commands() == []


@pytest.mark.same_on_every_system
@pytest.mark.parametrize(("second_drive", "code"), [("No medium found", 0), ("1+0 records in", 1)])
def test_a_lab_of_ubuntus_iso_boots_the_installer_beside_the_data(
    fake_lab: FakeLab, second_drive: str, code: int
) -> None:
    """Each machine has two CDs, and both are taken out of it."""
    iso, digest = live_iso(fake_lab.path / "live.iso")
    ours = f"      source: ubuntu\n      iso: ../live.iso\n      sha256: '{digest}'\n      directory: ../seeds\n"
    fake_lab.edit("      source: built\n      directory: ../seeds\n", ours)
    fake_lab.spec = load_lab(fake_lab.lab_file, "stand-in")
    plain, image = seed_inputs(fake_lab.seeds, fake_lab.path / "image")
    debs = [path for path in image.packages.glob("*.deb") if path.read_bytes() == b"deb"]
    sha256 = hashlib.sha256(b"deb").hexdigest()
    payload = tuple(CollectedFile(f"packages/{deb.name}", deb, 3, sha256) for deb in debs)
    packages = tuple(DebPackage(deb.name.partition("_")[0], f"Package: {deb.name}\n") for deb in debs)
    specs = [replace(spec, payload=payload, packages=packages) for spec in plain]
    for spec in specs:
        (fake_lab.seeds / spec.iso_name).unlink()
    make_installer_iso(iso, digest, fake_lab.seeds / UBUNTU_INSTALLER, print)
    build_data_isos(specs, fake_lab.seeds, print)
    behave_as_ubuntu(fake_lab)
    fake_lab.guests[WORKER].identity["second_drive"] = f"dd: failed to open '/dev/sr1': {second_drive}"
    assert fake_lab.run("-k", WORKER).ret == code
    vmx = Vmx.read(fake_lab.vmx(WORKER))
    assert (vmx.get("sata0:1.startConnected"), vmx.get("sata0:2.startConnected")) == ("FALSE", "FALSE")
    assert fake_lab.unknown_commands() == []
