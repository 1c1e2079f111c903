"""Judges of power cycles: the CD drive in VMX and guest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.verdict import Status
from harness.phases import (
    iso_detached,
    power_cycle,
)
from harness.phases.installation_identity import Identity
from harness.vmware.vmx import Vmx

AFTER = Identity("boot-2", "machine", "ssh-ed25519 AAAA root@m", "m-0123", "1", "17\nfiles=7", "a:1\nb:2")


class TestIsoDetached:
    @pytest.mark.parametrize(
        ("value", "status"), [("FALSE", Status.PASS), ("false", Status.PASS), ("TRUE", Status.FAIL)]
    )
    def test_the_vmx_on_disk(self, value: str, status: Status) -> None:
        assert (
            power_cycle.judge_vmx(iso_detached.VMX, Vmx.parse(f'sata0:1.startConnected = "{value}"\n')).status is status
        )

    def test_without_the_key_the_cd_is_connected(self) -> None:
        assert power_cycle.judge_vmx(iso_detached.VMX, Vmx.parse("")).status is Status.FAIL

    @pytest.mark.parametrize(
        ("text", "status"),
        [
            ("dd: failed to open '/dev/sr0': No medium found", Status.PASS),
            ("dd: failed to open '/dev/sr0': No such file or directory", Status.PASS),
            ("1+0 records in\n1+0 records out", Status.FAIL),
            ("sudo: a password is required", Status.FAIL),
            ("", Status.FAIL),
        ],
    )
    def test_a_medium_is_absent_only_when_the_guest_says_so(self, text: str, status: Status) -> None:
        assert power_cycle.judge_no_medium(iso_detached.NO_MEDIUM, replace(AFTER, drive=text)).status is status

    def test_a_medium_is_named(self) -> None:
        check = power_cycle.judge_no_medium(iso_detached.NO_MEDIUM, replace(AFTER, volume="SEED_M"))
        assert (check.status, check.seen) == (Status.FAIL, "'SEED_M' in the drive")

    def test_both_drives_of_a_machine_with_two_are_judged(self) -> None:
        two = 'sata0:2.present = "TRUE"\nsata0:1.startConnected = "FALSE"\nsata0:2.startConnected = "{}"\n'
        for value, status in (("FALSE", Status.PASS), ("TRUE", Status.FAIL)):
            check = power_cycle.judge_vmx(iso_detached.VMX, Vmx.parse(two.format(value)))
            assert check.status is status
            assert f'sata0:2.startConnected = "{value}"' in check.seen
        empty = replace(AFTER, drive="dd: failed to open '/dev/sr0': No medium found")
        for second, status in (
            ("dd: failed to open '/dev/sr1': No medium found", Status.PASS),
            ("1+0 records in\n1+0 records out", Status.FAIL),
        ):
            check = power_cycle.judge_no_medium(iso_detached.NO_MEDIUM, replace(empty, second_drive=second))
            assert check.status is status
            assert second.splitlines()[0] in check.seen
