from __future__ import annotations

from typing import Any

import pytest
from seed_samples import HOST_PRIVATE, HOST_PUBLIC, MARKERS, spec

from harness.config.model import Role
from harness.core.secret import Secret
from harness.guest.lab_keys import HostKey


@pytest.mark.parametrize(
    "change",
    [
        {"machine": "k3s-master2"},
        {"role": Role.WORKER},
        {"address": "192.168.6.20/24"},
        {"host_key": HostKey(Secret(HOST_PRIVATE + "x"), HOST_PUBLIC)},
        {"ca_certificate": "other"},
        {"timezone": "UTC"},
        {"paths": MARKERS.model_copy(update={"packages": "/srv/packages"})},
    ],
)
def test_the_input_hash_changes_with_every_input(change: dict[str, Any]) -> None:
    assert spec(**change).input_hash("image") != spec().input_hash("image")


def test_the_input_hash_changes_with_the_image_and_not_with_the_build_time() -> None:
    assert spec().input_hash("a") != spec().input_hash("b")
    assert spec(build_timestamp="2030-01-01T00:00:00+00:00").input_hash("a") == spec().input_hash("a")


def test_a_private_key_is_not_shown() -> None:
    assert "b3BlbnNzaC1rZXktdjEAAAAA" not in repr(spec())
