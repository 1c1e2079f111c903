from __future__ import annotations

from typing import Any

import pytest
from seed_samples import HOST_PRIVATE, HOST_PUBLIC, spec

from harness.secret import Secret
from harness.seed.model import ExtraFile, HostKey, Role, seed_name


@pytest.mark.parametrize(
    "change",
    [
        {"machine": "k3s-master2"},
        {"role": Role.WORKER},
        {"address": "192.168.6.20/24"},
        {"host_key": HostKey(Secret(HOST_PRIVATE + "x"), HOST_PUBLIC)},
        {"ca_certificate": "other"},
        {"timezone": "UTC"},
        {"extra_files": (ExtraFile("k3s", b"1"),)},
    ],
)
def test_the_input_hash_changes_with_every_input(change: dict[str, Any]) -> None:
    assert spec(**change).input_hash("image") != spec().input_hash("image")


def test_the_input_hash_changes_with_the_bytes_of_an_extra_file() -> None:
    one, other = (spec(extra_files=(ExtraFile("k3s", data),)) for data in (b"1", b"2"))
    assert one.input_hash("image") != other.input_hash("image")


def test_the_input_hash_changes_with_the_image_and_not_with_the_build_time() -> None:
    assert spec().input_hash("a") != spec().input_hash("b")
    assert spec(build_timestamp="2030-01-01T00:00:00+00:00").input_hash("a") == spec().input_hash("a")


@pytest.mark.parametrize(
    ("machine", "name"), [("k3s-master1", "seed-master1.iso"), ("k3s-worker2", "seed-worker2.iso"), ("n", "seed-n.iso")]
)
def test_the_iso_is_named_after_the_last_part_of_the_machines_name(machine: str, name: str) -> None:
    assert seed_name(machine) == name


def test_a_private_key_is_not_shown() -> None:
    assert "b3BlbnNzaC1rZXktdjEAAAAA" not in repr(spec())
