from __future__ import annotations

import pytest
from pydantic import ValidationError

from harness.config.frozen_model import Model


class Sample(Model):
    size: int


def test_a_value_cannot_be_changed() -> None:
    sample = Sample(size=1)
    with pytest.raises(ValidationError, match="frozen"):
        sample.size = 2  # type: ignore[misc]  # that is the test


@pytest.mark.parametrize("text", ['{"size": "1"}', '{"size": 1, "other": 2}'])
def test_neither_another_type_nor_another_key_is_taken(text: str) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate_json(text)
