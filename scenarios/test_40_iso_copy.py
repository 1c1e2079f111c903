"""Phase 5a: the installer copied every file of the payload."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("iso-copy"), pytest.mark.usefixtures("machine_name")]


def test_iso_copy(prove: Callable[[str], None], check: str) -> None:
    prove(check)
