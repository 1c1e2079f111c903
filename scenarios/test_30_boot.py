"""Phase 4: the machine runs, its guest answers, the lab's key logs in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("boot"), pytest.mark.usefixtures("machine_name")]


def test_boot(prove: Callable[[str], None], check: str) -> None:
    prove(check)
