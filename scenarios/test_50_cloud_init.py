"""Phase 5b: cloud-init has finished, without errors by its own word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = [pytest.mark.phase("cloud-init"), pytest.mark.usefixtures("machine_name")]


def test_cloud_init_has_finished(prove: Callable[[str], None]) -> None:
    prove("finished")


def test_cloud_init_reports_no_errors(prove: Callable[[str], None]) -> None:
    prove("result")


def test_marker(prove: Callable[[str], None]) -> None:
    prove("marker")
