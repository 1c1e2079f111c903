"""After phase 5: without its ISO the machine restarts from its disk, as the same machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("iso-detached"), pytest.mark.usefixtures("machine_name")]


def test_vmx_on_disk_says_detached(prove: Callable[[str], None]) -> None:
    prove("vmx says detached")


def test_boot_id_changed(prove: Callable[[str], None]) -> None:
    prove("restarted")


def test_machine_id_is_the_same(prove: Callable[[str], None]) -> None:
    prove("same machine")


def test_no_medium_in_the_guest(prove: Callable[[str], None]) -> None:
    prove("no medium in the guest")


def test_installer_did_not_run_again(prove: Callable[[str], None]) -> None:
    prove("installer did not run again")


def test_cloud_init_had_no_second_first_boot(prove: Callable[[str], None]) -> None:
    prove("no second first boot")
