from __future__ import annotations

import re

import pytest

from harness.vmware.file_names import SHARED_NAMES, memory_pattern, named_pattern

UUID = "564d78e20fa29f221ef7c3b8c2d3b8d5"
MEMORY = "564d78e2-0fa2-9f22-1ef7-c3b8c2d3b8d5.vmem"


@pytest.mark.parametrize(
    "name",
    [
        "a.b.vmx", "a.b.vmxf", "a.b.nvram", "a.b-0123abcd.vmss", "a.b.vmx.x1_2.tmp", "a.b-3.scoreboard",
        "a.b.vmdk", "a.b-s001.vmdk", "a.b-000001-f002.vmdk", "a.b-flat.vmdk", "a.b-Snapshot12.vmsn", "a.b.hlog",
    ],
)  # fmt: skip
def test_a_file_with_the_name_of_the_vm(name: str) -> None:
    assert re.fullmatch(named_pattern("a.b"), name)


@pytest.mark.parametrize(
    "name", ["axb.vmx", "a.b.iso", "a.b.vmx.bak", "a.b-s1.vmdk", "a.b-Snapshotx.vmsn", "a.b2.vmdk", "a.b.log"]
)
def test_a_file_with_another_name(name: str) -> None:
    assert not re.fullmatch(named_pattern("a.b"), name)


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("vmware.log", True),
        ("vmware-12.log", True),
        ("mksSandbox.log", True),
        ("nvram", True),
        ("vmmcores-1.gz", True),
        ("vmware-notes.log", False),
        ("serial-1.log", False),
    ],
)
def test_a_file_beside_any_vm(name: str, *, shared: bool) -> None:
    assert bool(SHARED_NAMES.fullmatch(name)) is shared


def test_a_memory_file_is_named_by_the_uuid() -> None:
    assert re.fullmatch(memory_pattern(UUID), MEMORY)
    assert re.fullmatch(memory_pattern(UUID.upper()), MEMORY)
    assert not re.fullmatch(memory_pattern("0" * 32), MEMORY)
    assert re.fullmatch(memory_pattern(), MEMORY)
    assert not re.fullmatch(memory_pattern(), "a.vmem")
