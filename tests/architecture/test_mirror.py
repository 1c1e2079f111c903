"""The unit tests mirror the package: a module has a test file of its name, or a reason why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from source_tree import REPOSITORY, modules

UNIT = REPOSITORY / "tests" / "unit"
# Module -> why it has no test file of its own.
REASONS: dict[str, str] = {
    "harness.vmrun_qemu.__main__": "one line; every contract test starts the program through it",
    "harness.image.guest.disk-crc": "runs in the guest; tests/unit/image/test_guest_scripts.py has its tests",
}


def file_of(name: str) -> Path:
    """Return where the unit tests of a module are."""
    *packages, stem = name.removeprefix("harness.").split(".")
    return UNIT.joinpath(*packages, f"test_{stem}.py")


@pytest.mark.parametrize("name", [name for name, module in modules().items() if module.path.stem != "__init__"])
def test_a_module_has_a_test_file_of_its_name(name: str) -> None:
    if name in REASONS:
        assert not file_of(name).exists(), f"{name} has tests now: take its reason out"
        return
    assert file_of(name).is_file(), f"write {file_of(name).relative_to(REPOSITORY)}"
