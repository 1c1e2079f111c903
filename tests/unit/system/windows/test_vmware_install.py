"""VMware's values in the Windows registry."""

from __future__ import annotations

from ipaddress import IPv4Network

from fake_windows_registry import FakeWindowsRegistry

from harness.system.windows.registry import NoRegistry
from harness.system.windows.vmware_install import (
    Product,
    installed_products,
    long_paths,
    network_subnet,
    program_folders,
)

WOW = r"SOFTWARE\WOW6432Node\VMware, Inc."
PLAIN = r"SOFTWARE\VMware, Inc."
OLD, NEW = "C:\\Program Files (x86)\\VMware\\VMware Workstation\\", "C:\\Program Files\\VMware\\VMware Workstation\\"


def test_products_of_both_views_and_the_started_programs_folder() -> None:
    registry = FakeWindowsRegistry(
        {
            (rf"{WOW}\VMware Workstation", "InstallPath"): OLD,
            (rf"{WOW}\VMware Workstation", "ProductVersion"): "17.6.3.24583834",
            (rf"{PLAIN}\VMware Workstation", "InstallPath"): NEW,
            (r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\vmware.exe", "Path"): NEW,
        }
    )
    assert installed_products(registry) == (
        Product("VMware Workstation", "17.6.3.24583834", OLD),
        Product("VMware Workstation", "", NEW),
    )
    assert program_folders(registry) == (OLD, NEW, NEW)


def test_a_product_that_was_removed_leaves_a_key_without_a_folder() -> None:
    registry = FakeWindowsRegistry({(rf"{WOW}\VMware Workstation", "ProductVersion"): "16.0"})
    assert (installed_products(registry), program_folders(registry)) == ((), ())


def test_the_network_editors_subnet() -> None:
    key = rf"{PLAIN}\VMnetLib\VMnetConfig\vmnet1"
    assert network_subnet(FakeWindowsRegistry({(key, "IPSubnetAddress"): "192.168.6.0"}), "VMnet1") == IPv4Network(
        "192.168.6.0/24"
    )
    wide = FakeWindowsRegistry({(key, "IPSubnetAddress"): "10.1.0.0", (key, "IPSubnetMask"): "255.255.0.0"})
    assert network_subnet(wide, "VMnet1") == IPv4Network("10.1.0.0/16")
    assert network_subnet(wide, "VMnet11") is None
    assert network_subnet(FakeWindowsRegistry({(key, "IPSubnetAddress"): "nonsense"}), "VMnet1") is None


def test_long_paths_are_off_unless_they_are_set() -> None:
    key = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    assert long_paths(FakeWindowsRegistry({(key, "LongPathsEnabled"): 1}))
    assert not long_paths(FakeWindowsRegistry({(key, "LongPathsEnabled"): 0}))
    assert not long_paths(NoRegistry())
