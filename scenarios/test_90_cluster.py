"""After the lab: the k3s nodes are ready and KubeSphere listens, where the payload brings them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.phase("cluster")


def test_cluster(prove: Callable[[str], None], check: str) -> None:
    prove(check)
