"""What the payload promises of a cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from archive_samples import BUSYBOX, PAUSE, image_archive
from cluster_samples import VERSION

from harness.config.payload_spec import ArchiveSpec, K3sSpec, PayloadSpec
from harness.config.plan import LabPlan
from harness.machine.context import RunContext
from harness.phases.cluster_payload import images_of, version_of


def plan_of(context: RunContext, payload: PayloadSpec | None) -> LabPlan:
    return replace(context.plan, spec=context.plan.spec.model_copy(update={"payload": payload}))


@pytest.fixture
def payload(tmp_path: Path) -> PayloadSpec:
    (tmp_path / "k3s").write_bytes(b"\x7fELF" + VERSION.encode())
    image_archive(tmp_path / "images.tar")
    archive = ArchiveSpec(source="images.tar")  # relative to the lab file
    return PayloadSpec(k3s=K3sSpec(binary="k3s", images=(archive,)))


def test_version_and_images_are_read_from_the_files(context: RunContext, payload: PayloadSpec) -> None:
    plan = plan_of(context, payload)
    assert version_of(plan) == VERSION
    assert images_of(plan) == frozenset({PAUSE, BUSYBOX})


def test_without_a_payload_nothing_is_promised(context: RunContext) -> None:
    plan = plan_of(context, None)
    assert (version_of(plan), images_of(plan)) == ("", None)


def test_an_archive_that_cannot_be_read_is_a_reason(context: RunContext, payload: PayloadSpec, tmp_path: Path) -> None:
    (tmp_path / "images.tar").write_bytes(b"damaged")
    assert "images.tar: " in str(images_of(plan_of(context, payload)))
    (tmp_path / "images.tar").unlink()
    assert "images.tar: " in str(images_of(plan_of(context, payload)))
    (tmp_path / "k3s").unlink()
    assert version_of(plan_of(context, payload)) == ""
