"""After phase 5: two power cuts; the disk always boots first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("restarts"), pytest.mark.usefixtures("machine_name")]


def test_restarts(prove: Callable[[str], None], check: str) -> None:
    prove(check)
