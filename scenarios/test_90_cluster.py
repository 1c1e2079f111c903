"""After the lab: k3s nodes and KubeSphere, where the payload brings them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.phase("cluster")


def test_cluster(prove: Callable[[str], None], check: str) -> None:
    prove(check)
