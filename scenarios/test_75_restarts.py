"""After phase 5: two power cuts, one with the ISO in the drive again; the disk boots first, as the same machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("restarts"), pytest.mark.usefixtures("machine_name")]


def test_restarts(prove: Callable[[str], None], check: str) -> None:
    prove(check)
