"""Phase 1: the host can carry the lab. Nothing is created before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.phase("environment")


def test_environment(prove: Callable[[str], None], check: str) -> None:
    prove(check)
