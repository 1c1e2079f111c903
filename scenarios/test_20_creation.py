"""Phase 3: each machine has its blank disk and a VMX with every planned key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("creation"), pytest.mark.usefixtures("machine_name")]


def test_disk_has_its_size_and_type(prove: Callable[[str], None]) -> None:
    prove("virtual disk")


def test_vmx_has_every_planned_key(prove: Callable[[str], None]) -> None:
    prove("vmx")
