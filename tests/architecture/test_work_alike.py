"""The work-alike is a separate program with layers of its own."""

from __future__ import annotations

import pytest
from source_tree import modules

PACKAGE = "harness.vmrun_qemu"
# The packages and modules of `harness/vmrun_qemu`, lowest layer first. Each imports lower layers only.
LAYERS = (
    ("base", "verbs"),
    ("vmfiles",),
    ("qemu",),
    ("disks", "network"),
    ("state",),
    ("client", "supervisor", "vdiskmanager"),
    ("faults",),
    ("commands",),
    ("main",),
    ("__main__",),
)
# What it shares with the harness: the formats of VMware's files, temporary files, the identity of processes, the
# search for programs, and how Python is started.
SHARED = (
    "harness.core.temporary_files",
    "harness.vmware",
    "harness.system.process_identity",
    "harness.system.programs",
    "harness.system.python",
)


def part(name: str) -> str:
    """Return the package or module below `harness.vmrun_qemu` that a module belongs to."""
    return name.removeprefix(f"{PACKAGE}.").split(".")[0]


def layer(name: str) -> int:
    """Return the layer of a module, 0 for the lowest."""
    return next(number for number, parts in enumerate(LAYERS) if part(name) in parts)


def own_modules() -> list[str]:
    return [name for name in modules() if name.startswith(f"{PACKAGE}.")]


def test_every_part_has_a_layer_and_every_layer_its_parts() -> None:
    assert {part(name) for name in own_modules()} == {name for parts in LAYERS for name in parts}


@pytest.mark.parametrize("name", own_modules())
def test_a_part_imports_lower_layers_only(name: str) -> None:
    higher = [
        f"line {item.line}: {item.module}"
        for item in modules()[name].imports
        if item.module.startswith(f"{PACKAGE}.")
        and part(item.module) != part(name)
        and layer(item.module) >= layer(name)
    ]
    assert higher == []


def test_it_shares_the_formats_of_vmware_and_one_door_with_the_harness() -> None:
    def is_shared(name: str) -> bool:
        return any(name == other or name.startswith(f"{other}.") for other in (PACKAGE, *SHARED))

    found = [
        f"{module.path}:{item.line}: {item.module}"
        for name in (PACKAGE, *own_modules())
        for module in (modules()[name],)
        for item in module.imports
        if item.module.startswith("harness") and not is_shared(item.module)
    ]
    assert found == []


def test_the_harness_knows_it_by_its_command_line_only() -> None:
    found = [
        f"{module.path}:{item.line}: {item.module}"
        for module in modules().values()
        for item in module.imports
        if not module.name.startswith(PACKAGE) and item.module.startswith(PACKAGE)
    ]
    assert found == []
