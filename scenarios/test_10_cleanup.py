"""Phase 2: leftovers of this lab are gone; everything else is untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("cleanup"), pytest.mark.usefixtures("machine_name")]


def test_cleanup(prove: Callable[[str], None], check: str) -> None:
    prove(check)
