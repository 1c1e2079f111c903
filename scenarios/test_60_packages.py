"""Phase 5c: the operations packages are installed, by dpkg's word and not by the marker's alone, from the seed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("packages"), pytest.mark.usefixtures("machine_name")]


def test_marker_counts_every_package(prove: Callable[[str], None]) -> None:
    prove("marker")


def test_dpkg_has_every_package(prove: Callable[[str], None]) -> None:
    prove("dpkg")


def test_packages_are_the_seeds(prove: Callable[[str], None]) -> None:
    prove("from the seed")
