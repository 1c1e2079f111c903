"""Which virtual hardware a product knows."""

from __future__ import annotations

import pytest

from harness.preflight.hardware_versions import newest_hardware


@pytest.mark.parametrize(
    ("product", "newest"),
    [
        ("VMware Workstation 16.1.0 (vmrun 1.17.0 build-17198959)", 18),
        ("VMware Workstation 16.2", 19),
        ("VMware Workstation 17.5.2 (vmrun …)", 21),
        ("VMware Workstation 26H1U1 (vmrun …)", 22),
        ("VMware Workstation 15.5.6", None),
        ("VMware (vmrun 1.17.0 build-1)", None),
        ("VMware Fusion 12", None),
        ("QEMU 7.2.22", 22),
        ("", None),
    ],
)
def test_a_product_knows_hardware_up_to_a_version(product: str, newest: int | None) -> None:
    assert newest_hardware(product) == newest
