from __future__ import annotations

from pathlib import Path

import pytest
from seed_samples import fake_image

from harness.image.spec import GuestImage


@pytest.fixture
def image(tmp_path: Path) -> GuestImage:
    """An image with short files in place of a guest's."""
    return fake_image(tmp_path / "image")
