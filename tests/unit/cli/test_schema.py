from __future__ import annotations

from harness.config.loader import lab_schema

from .command_line import run_lab


def test_the_output_is_the_schema() -> None:
    assert run_lab("schema").output == lab_schema()
