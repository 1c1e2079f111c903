"""Phase 5c: the packages are installed from the seed, as `dpkg` reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("packages"), pytest.mark.usefixtures("machine_name")]


def test_packages(prove: Callable[[str], None], check: str) -> None:
    prove(check)
