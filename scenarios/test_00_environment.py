"""Phase 1: the host can carry the lab. One test per check; nothing is created before all of them passed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.phase("environment")


def test_environment(prove: Callable[[str], None], check: str) -> None:
    prove(check)
