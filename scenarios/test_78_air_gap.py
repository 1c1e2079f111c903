"""Air gap: each guest reaches registry and neighbours and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("air-gap"), pytest.mark.usefixtures("machine_name")]


def test_air_gap(prove: Callable[[str], None], check: str) -> None:
    prove(check)
