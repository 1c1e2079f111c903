"""Phase 5b: cloud-init has finished, without errors by its own report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("cloud-init"), pytest.mark.usefixtures("machine_name")]


def test_cloud_init(prove: Callable[[str], None], check: str) -> None:
    prove(check)
