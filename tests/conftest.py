"""Warnings are errors in this project's own tests. A lab is not red by what a dependency says of its future."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "error")
