"""A module of a shared package is imported by three packages or more."""

from __future__ import annotations

import pytest
from source_tree import modules

# Package -> how many packages have to import each module of it.
SHARED = {"harness.core": 3, "harness.vmrun_qemu.base": 3}
EMBEDDED = "harness.vmrun_qemu"


def package(name: str) -> str:
    """Return the package that a module is in; a module beside the packages is one by itself."""
    depth = 3 if name.startswith(f"{EMBEDDED}.") else 2
    return ".".join(name.split(".")[:depth])


def shared_modules() -> list[str]:
    return [name for name in modules() if package(name) in SHARED and name not in SHARED]


@pytest.mark.parametrize("name", shared_modules())
def test_a_shared_module_is_imported_by_three_packages_or_more(name: str) -> None:
    users = {package(other.name) for other in modules().values() if other.imported(name)} - {package(name)}
    assert len(users) >= SHARED[package(name)], f"only {', '.join(sorted(users))}: move it to the package that uses it"


def test_every_shared_package_is_there() -> None:
    assert {package(name) for name in shared_modules()} == set(SHARED)
