"""Phase 2: what this lab left behind is gone; what is not this lab's is untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("cleanup"), pytest.mark.usefixtures("machine_name")]


def test_directory_is_ours_or_empty(prove: Callable[[str], None]) -> None:
    prove("only what is ours")


def test_earlier_machine_is_gone(prove: Callable[[str], None]) -> None:
    prove("machine is gone")
