from __future__ import annotations

import os
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from lab_file import LAB_FILE
from needs import posix_paths
from pydantic import TypeAdapter, ValidationError

from harness.config.loader import load_lab
from harness.config.model import (
    Duration,
    GuestPath,
    HostName,
    LabSpec,
    MacAddress,
    MachineSpec,
    PackageName,
    RegistrySpec,
    Role,
    SecretReference,
    host_path,
)


@pytest.fixture(scope="module")
def spec() -> LabSpec:
    return load_lab(LAB_FILE)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (HostName, "k3s-master1", "K3s"),
        (HostName, "a" * 63, "a" * 64),
        (HostName, "a", "a-"),
        (GuestPath, "/usr/local/seed", "usr/local"),
        (PackageName, "libc6-dev", "-v"),
        (PackageName, "g++", "jq vim"),
        (MacAddress, "00:50:56:aB:00:01", "00:50:56:00:00"),
        (Duration, "90m", "0h"),
        (Duration, "7d", "7w"),
        (SecretReference, "env:LAB_PASSWORD", "hunter2"),
    ],
)
def test_the_form_of_a_text(kind: Any, good: str, bad: str) -> None:
    adapter = TypeAdapter[str](kind)
    assert adapter.validate_python(good) == good
    with pytest.raises(ValidationError):
        adapter.validate_python(bad)


def test_a_model_is_frozen_strict_and_without_unknown_keys() -> None:
    registry = RegistrySpec(address=IPv4Address("192.168.6.1"), port=5000)
    with pytest.raises(ValidationError, match="frozen"):
        registry.port = 1  # type: ignore[misc]  # the attempt is the test
    with pytest.raises(ValidationError, match="valid integer"):
        RegistrySpec.model_validate({"address": registry.address, "port": "5000"})
    with pytest.raises(ValidationError, match="not permitted"):
        RegistrySpec.model_validate({"address": registry.address, "port": 5000, "tls": True})


def test_a_machine_has_the_hardware_of_the_lab_unless_it_names_its_own(spec: LabSpec) -> None:
    own = MachineSpec(role=Role.WORKER, address=IPv4Address("192.168.6.19"), seed="x.iso", memory_mib=1024, cpus=7)
    lab = spec.model_copy(update={"machines": {**spec.machines, "big": own}})
    assert (lab.memory_mib("big"), lab.cpus("big")) == (1024, 7)
    assert (lab.memory_mib("k3s-worker1"), lab.cpus("k3s-worker1")) == (spec.hardware.memory_mib, spec.hardware.cpus)


@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("1m", 60), ("90m", 5400), ("24h", 86400), ("7d", 604800)])
def test_how_long_machines_are_kept(spec: LabSpec, text: str | None, seconds: int | None) -> None:
    assert spec.model_copy(update={"keep_for": text}).keep_for_s == seconds


def test_a_path_of_a_lab_file_is_relative_to_it(tmp_path: Path) -> None:
    assert host_path("seeds", tmp_path) == tmp_path / "seeds"
    assert host_path("../seeds", tmp_path) == tmp_path.parent / "seeds"
    assert host_path(str(tmp_path / "x"), Path("elsewhere")) == tmp_path / "x"


@posix_paths
def test_a_tilde_is_the_home_of_a_user_that_exists(tmp_path: Path) -> None:
    assert host_path("~/keys", tmp_path) == Path(os.path.expanduser("~/keys"))  # noqa: PTH111 - another way to ask
    assert host_path("~no-such-user/keys", tmp_path) == tmp_path / "~no-such-user" / "keys"
