"""After the lab: the k3s nodes are ready and KubeSphere listens, where the payload brings them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.phase("cluster")


def test_nodes_are_ready(prove: Callable[[str], None]) -> None:
    prove("nodes ready")


def test_kubesphere_listens(prove: Callable[[str], None]) -> None:
    prove("kubesphere port")
