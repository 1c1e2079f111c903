"""After phase 5: two power cuts, one with the ISO in the drive again; the disk boots first, as the same machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("restarts"), pytest.mark.usefixtures("machine_name")]


def test_disk_boots_first_with_the_iso_attached(prove: Callable[[str], None]) -> None:
    prove("disk first with the ISO attached")


def test_power_cut_is_survived(prove: Callable[[str], None]) -> None:
    prove("power cut")


def test_machine_is_the_same(prove: Callable[[str], None]) -> None:
    prove("same machine")


def test_installer_did_not_run_again(prove: Callable[[str], None]) -> None:
    prove("installer did not run again")


def test_cloud_init_had_no_second_first_boot(prove: Callable[[str], None]) -> None:
    prove("no second first boot")


def test_iso_is_detached_again(prove: Callable[[str], None]) -> None:
    prove("ISO detached again")
