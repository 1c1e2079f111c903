"""Phase 3: each machine has a blank disk and the planned VMX."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("creation"), pytest.mark.usefixtures("machine_name")]


def test_creation(prove: Callable[[str], None], check: str) -> None:
    prove(check)
