"""Sizes of machines for k3s."""

from __future__ import annotations

import pytest
from lab_file import LAB_FILE, TEXT, changed

from harness.config.k3s_size import brings_k3s, too_small
from harness.config.loader import build

PAYLOAD = "payload: {k3s: {binary: ../k3s}}\n"


def test_only_a_payload_with_k3s_brings_it() -> None:
    assert not brings_k3s(build(TEXT, LAB_FILE))
    assert not brings_k3s(build(TEXT + "payload: {files: [../motd]}\n", LAB_FILE))
    assert brings_k3s(build(TEXT + PAYLOAD, LAB_FILE))


@pytest.mark.parametrize(
    ("memory", "cpus", "wrong"),
    [(1536, 2, ()), (1532, 2, ("k3s-master1",)), (1536, 1, ("k3s-master1",)), (764, 2, ("k3s-master1", "k3s-worker1"))],
)
def test_each_role_needs_its_size(memory: int, cpus: int, wrong: tuple[str, ...]) -> None:
    text = changed(("memory_mib: 4096", f"memory_mib: {memory}"), ("  cpus: 2\n", f"  cpus: {cpus}\n"))
    found = too_small(build(text, LAB_FILE))
    assert [line.partition(" ")[0] for line in found][: len(wrong)] == list(wrong)
    assert bool(found) is bool(wrong)
