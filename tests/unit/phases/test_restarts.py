"""Judges of restarts: the disk boots first, or it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.verdict import Status
from harness.phases import (
    restarts,
)
from harness.phases.installation_identity import Identity

BEFORE = Identity("boot-1", "machine", "ssh-ed25519 AAAA root@m", "m-0123", "1", "17\nfiles=7", "a:1\nb:2")


AFTER = replace(BEFORE, boot_id="boot-2")


WITH_ISO = replace(AFTER, volume="SEED_M")


class TestRestarts:
    def test_the_disk_boots_though_the_iso_is_in_the_drive(self) -> None:
        assert restarts.judge_disk_first(BEFORE, WITH_ISO, "SEED_M", ()).status is Status.PASS

    @pytest.mark.parametrize("label", ["", "SEED_W"])
    def test_an_empty_drive_or_another_medium_proves_nothing(self, label: str) -> None:
        check = restarts.judge_disk_first(BEFORE, replace(AFTER, volume=label), "SEED_M", ())
        assert check.status is Status.FAIL
        assert "proves nothing" in check.remedy

    def test_an_unknown_iso_is_not_found_in_an_empty_drive(self) -> None:
        assert restarts.judge_disk_first(BEFORE, AFTER, "", ()).status is Status.FAIL

    def test_the_installer_came_first(self) -> None:
        check = restarts.judge_disk_first(BEFORE, WITH_ISO, "SEED_M", ("installer-start",))
        assert check.status is Status.FAIL
        assert "bios.bootOrder" in check.remedy

    def test_the_boot_of_before_proves_nothing(self) -> None:
        assert restarts.judge_disk_first(BEFORE, replace(BEFORE, volume="SEED_M"), "SEED_M", ()).status is Status.FAIL

    PLANNED = {"sata0:1.present": "TRUE", "sata0:1.startConnected": "TRUE", "serial0.fileName": "serial-1.log"}  # noqa: RUF012

    def test_the_keys_that_phases_change_are_no_difference(self) -> None:
        read = {**self.PLANNED, "sata0:1.startConnected": "FALSE", "serial0.fileName": "serial-4.log"}
        assert restarts.judge_devices(self.PLANNED, read).status is Status.PASS

    @pytest.mark.parametrize("device", ["ethernet1", "sata0:2", "serial1", "usb_xhci", "sharedFolder0"])
    def test_a_device_that_came_with_a_power_cycle_fails(self, device: str) -> None:
        check = restarts.judge_devices(self.PLANNED, {**self.PLANNED, f"{device}.present": "TRUE"})
        assert check.status is Status.FAIL
        assert check.seen == f"{device.lower()} is not planned"
