"""Phase 2: what this lab left behind is gone; what is not this lab's is untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("cleanup"), pytest.mark.usefixtures("machine_name")]


def test_cleanup(prove: Callable[[str], None], check: str) -> None:
    prove(check)
