from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from seed_samples import HOST_PRIVATE, HOST_PUBLIC, MARKERS, spec

from harness.config.model import Role
from harness.core.secret import Secret
from harness.guest.lab_keys import HostKey
from harness.payload.collect import CollectedFile
from harness.seed.model import IsoInfo, PayloadFile, RegistryLogin


def info(*paths: str) -> IsoInfo:
    """Return the facts of an ISO with these files in its payload."""
    files = tuple(PayloadFile(path, 1, None) for path in paths)
    return IsoInfo(Path("seed.iso"), "SEED", True, None, None, None, False, None, None, files)


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


@pytest.mark.parametrize(
    "name",
    ["k3s", "K3S", "k3s-amd64", "k3s-v1.33.4", "k3s-v1.33.4-rc1+k3s1", "k3s_v1.21.2+k3s1", "k3s-linux-x86_64"],
)
def test_a_binary_of_k3s_is_known_by_its_names(name: str) -> None:
    assert info(f"tools/{name}").has_k3s


@pytest.mark.parametrize(
    "name",
    [
        "k3s-airgap-images-amd64.tar.gz",
        "k3s-airgap-images-amd64.tar.zst",
        "k3s-airgap-images.txt",
        "k3s-v1.33.4.tar",
        "k3s.service",
        "k3s-agent.service",
        "k3s-install.sh",
        "k3s.yaml",
        "k3s-bootstrap",
        "k3s-killall.sh",
        "k3sup",
        "kk3s",
        "k3s/readme",
    ],
)
def test_what_else_is_named_after_k3s_is_no_binary(name: str) -> None:
    assert not info(name).has_k3s


def test_a_payload_and_a_cluster_change_the_seed_and_their_absence_does_not() -> None:
    plain = spec().input_hash("image")
    assert plain == spec(registry_login=RegistryLogin("lab", Secret("hidden-word"))).input_hash("image")
    file = CollectedFile("k3s/k3s", Path("k3s"), 1, "a" * 64)
    other = CollectedFile("k3s/k3s", Path("k3s"), 1, "b" * 64)
    hashes = {plain, spec(payload=(file,)).input_hash("image"), spec(payload=(other,)).input_hash("image")}
    assert len(hashes) == 3
