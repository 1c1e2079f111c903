"""Facts about VMware's installation in the Windows registry."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from harness.system.windows.registry import Registry

PRODUCTS = ("VMware Workstation", "VMware Player", "VMware VIX")
# The 64-bit products since 2025 write below the plain key; 32-bit ones are redirected.
_VENDOR_KEYS = ("SOFTWARE\\WOW6432Node\\VMware, Inc.", "SOFTWARE\\VMware, Inc.")
_APP_PATHS = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\App Paths"
_FILE_SYSTEM = "SYSTEM\\CurrentControlSet\\Control\\FileSystem"


@dataclass(frozen=True)
class Product:
    """An installed product of VMware.

    Attributes:
        name: As `VMware Workstation`.
        version: As `17.6.3.24583834`, or empty.
        folder: The directory of its programs.
    """

    name: str
    version: str
    folder: str


def installed_products(registry: Registry) -> tuple[Product, ...]:
    """Return the VMware products of this host, Workstation first."""
    found = []
    for vendor in _VENDOR_KEYS:
        for name in PRODUCTS:
            key = f"{vendor}\\{name}"
            folder = registry.value(key, "InstallPath")
            if folder:
                found.append(Product(name, str(registry.value(key, "ProductVersion") or ""), str(folder)))
    return tuple(found)


def program_folders(registry: Registry) -> tuple[str, ...]:
    """Return the directories of VMware's programs that the Windows registry names."""
    started = (registry.value(f"{_APP_PATHS}\\{name}", "Path") for name in ("vmware.exe", "vmplayer.exe"))
    return (*(product.folder for product in installed_products(registry)), *(str(path) for path in started if path))


def network_subnet(registry: Registry, vmnet: str) -> IPv4Network | None:
    """Return the subnet that the network editor gave to a network.

    None if the Windows registry has none for that name, as `VMnet1`.
    """
    for vendor in _VENDOR_KEYS:
        key = f"{vendor}\\VMnetLib\\VMnetConfig\\{vmnet.lower()}"
        address = registry.value(key, "IPSubnetAddress")
        if address:
            mask = registry.value(key, "IPSubnetMask") or "255.255.255.0"  # the default of the network editor
            try:
                return IPv4Network(f"{address}/{mask}", strict=False)
            except ValueError:
                return None
    return None


def long_paths(registry: Registry) -> bool:
    """Return whether programs may use paths of more than 259 characters."""
    return registry.value(_FILE_SYSTEM, "LongPathsEnabled") == 1
