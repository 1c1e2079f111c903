"""Phase 5a: the installer copied the payload, and every file of it is the ISO's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("iso-copy"), pytest.mark.usefixtures("machine_name")]


def test_marker(prove: Callable[[str], None]) -> None:
    prove("marker")


def test_payload_is_the_isos(prove: Callable[[str], None]) -> None:
    prove("payload")
