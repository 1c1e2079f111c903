"""The image keeps the drivers that a guest needs and omits others."""

from __future__ import annotations

from pathlib import Path

from harness.image.bootstrap import BuildDirectory, mmdebstrap_argv
from harness.image.spec import ImageSpec

SPEC = ImageSpec("debian", "bookworm", root_gib=39, operations_packages=("jq", "htop"))


def test_the_guest_keeps_the_drivers_it_needs_and_drops_the_others() -> None:
    filters = [a.removeprefix("--dpkgopt=") for a in mmdebstrap_argv(SPEC, BuildDirectory(Path("b")), ())]
    everything = filters.index("path-exclude=/lib/modules/*/kernel/drivers/*")
    for kept in ("ata/*", "message/*", "scsi/vmw_*", "net/vmxnet3/*", "net/ethernet/intel/e1000/*", "virtio/*"):
        assert filters.index(f"path-include=/lib/modules/*/kernel/drivers/{kept}") > everything
    assert not any("drivers/gpu" in item for item in filters)
