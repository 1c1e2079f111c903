"""Judges of identity: one installation, or another, after a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.verdict import Status
from harness.phases import installation_identity as identity
from harness.phases import (
    iso_detached,
)
from harness.phases.installation_identity import Identity

BEFORE = Identity("boot-1", "machine", "ssh-ed25519 AAAA root@m", "m-0123", "1", "17\nfiles=7", "a:1\nb:2")


AFTER = replace(BEFORE, boot_id="boot-2")


class TestIdentity:
    def test_the_same_machine_after_a_restart(self) -> None:
        assert identity.judge_restarted(iso_detached.RESTARTED, BEFORE, AFTER).status is Status.PASS
        assert identity.judge_same_machine(iso_detached.SAME, BEFORE, AFTER).status is Status.PASS
        assert identity.judge_installer(iso_detached.NO_INSTALLER, BEFORE, AFTER, ()).status is Status.PASS
        assert identity.judge_first_boot(iso_detached.NO_FIRST_BOOT, BEFORE, AFTER).status is Status.PASS

    @pytest.mark.parametrize("boot_id", ["boot-1", ""])
    def test_an_answer_of_the_boot_before_is_no_restart(self, boot_id: str) -> None:
        assert (
            identity.judge_restarted(iso_detached.RESTARTED, BEFORE, replace(AFTER, boot_id=boot_id)).status
            is Status.FAIL
        )

    @pytest.mark.parametrize("change", [{"machine_id": "other"}, {"machine_id": ""}, {"host_keys": "ssh-ed25519 BBBB"}])
    def test_another_machine_id_or_host_key_is_another_machine(self, change: dict[str, str]) -> None:
        assert identity.judge_same_machine(iso_detached.SAME, BEFORE, replace(AFTER, **change)).status is Status.FAIL

    def test_no_host_key_at_all_proves_nothing(self) -> None:
        before, after = replace(BEFORE, host_keys=""), replace(AFTER, host_keys="")
        assert identity.judge_same_machine(iso_detached.SAME, before, after).status is Status.FAIL

    @pytest.mark.parametrize("change", [{"installer_runs": "2"}, {"iso_copy": "18\nfiles=7"}, {"installer_runs": ""}])
    def test_another_run_of_the_installer_is_seen_on_the_disk(self, change: dict[str, str]) -> None:
        assert (
            identity.judge_installer(iso_detached.NO_INSTALLER, BEFORE, replace(AFTER, **change), ()).status
            is Status.FAIL
        )

    def test_two_runs_are_one_too_many_though_nothing_changed_since(self) -> None:
        before, after = replace(BEFORE, installer_runs="2"), replace(AFTER, installer_runs="2")
        assert identity.judge_installer(iso_detached.NO_INSTALLER, before, after, ()).status is Status.FAIL

    def test_an_installer_that_refused_is_seen_on_the_serial_line(self) -> None:
        check = identity.judge_installer(
            iso_detached.NO_INSTALLER, BEFORE, AFTER, ("installer-start", "installer-refused")
        )
        assert check.status is Status.FAIL
        assert "installer-refused" in check.seen

    def test_another_installer_than_ours_keeps_no_counter(self) -> None:
        before, after = replace(BEFORE, installer_runs=""), replace(AFTER, installer_runs="")
        assert identity.judge_installer(iso_detached.NO_INSTALLER, before, after, ()).status is Status.PASS

    @pytest.mark.parametrize("change", [{"first_boot": "a:1\nb:3"}, {"first_boot": ""}, {"instance": "m-4567"}])
    def test_a_second_first_boot_is_named(self, change: dict[str, str]) -> None:
        check = identity.judge_first_boot(iso_detached.NO_FIRST_BOOT, BEFORE, replace(AFTER, **change))
        assert check.status is Status.FAIL
        assert "b:" in check.seen or "m-4567" in check.seen


@pytest.mark.parametrize("change", [{"iso_copy": "18\nfiles=7"}, {"first_boot": "a:3\nb:4"}])
def test_a_second_installation_of_the_same_vm_has_another_identity(change: dict[str, str]) -> None:
    first = Identity("boot-1", "machine", "ssh-ed25519 AAAA root@m", "m-0123", "1", "17\nfiles=7", "a:1\nb:2")
    assert replace(first, boot_id="boot-2", volume="SEED").installation == first.installation
    assert replace(first, **change).installation != first.installation
