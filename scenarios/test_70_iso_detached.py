"""After phase 5: the same machine restarts from its disk, without ISO."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("iso-detached"), pytest.mark.usefixtures("machine_name")]


def test_iso_detached(prove: Callable[[str], None], check: str) -> None:
    prove(check)
