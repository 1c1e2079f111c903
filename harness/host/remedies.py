"""What to do about each wrong thing, per operating system, to be pasted."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from harness.config import SeedSource
from harness.hypervisor import Kind

_INSTALL = r"C:\Program Files (x86)\VMware\VMware Workstation"


def administrator() -> str:
    """Return how to get an administrator's prompt on Windows."""
    return "open the prompt as administrator: Start-Process powershell -Verb RunAs"


def desktop_session() -> str:
    """Return how to run in the session of a desktop's user."""
    return (
        "log on as that user and start it there; for a CI runner, in an administrator's prompt of that user:\n"
        ".\\svc.cmd stop; .\\svc.cmd uninstall; .\\run.cmd"
    )


def daemon_down(platform: str) -> str:
    """Return how to have that running which VMware's programs need."""
    if platform == "win32":
        return "as administrator: sc.exe config VMAuthdService start= auto; net start VMAuthdService"
    return "sudo vmware-modconfig --console --install-all\nsudo systemctl restart vmware"


def adapter_missing(platform: str, vmnet: str, subnet: IPv4Network) -> str:
    """Return how to have this host in that network, with its first address."""
    address, mask = next(subnet.hosts()), subnet.netmask
    if platform == "win32":
        adapter = f"VMware Network Adapter {vmnet}"
        return f'as administrator: netsh interface ipv4 set address name="{adapter}" static {address} {mask}'
    if platform == "darwin":
        return "sudo '/Applications/VMware Fusion.app/Contents/Library/vmnet-cli' --configure"
    return f"sudo vmware-networks --start\nip address show {vmnet.lower()}"


def vmrun_silent(kind: Kind, platform: str, vmrun: str) -> str:
    """Return how to have a vmrun that answers."""
    if kind is Kind.EMBEDDED:
        return f"run it by hand: {vmrun} list\nand where QEMU is missing: lab setup --with-deps"
    if platform == "win32":
        return f'net start VMAuthdService\n"{vmrun}" -T ws list'
    if platform == "darwin":
        return f"open VMware Fusion once and grant what it asks for, then: '{vmrun}' -T fusion list"
    return f"sudo vmware-modconfig --console --install-all\nsudo systemctl restart vmware\n{vmrun} -T ws list"


def network_missing(kind: Kind, platform: str, vmnet: str, subnet: IPv4Network) -> str:
    """Return how to have that network, host-only, with that subnet."""
    name, number = vmnet.lower(), vmnet.lower().removeprefix("vmnet")
    if kind is Kind.EMBEDDED:
        return "run `lab doctor`; the embedded hypervisor defines the network itself"
    if platform == "win32":
        tool = f'& "{_INSTALL}\\vnetlib64.exe" --'
        return "\n".join(
            [
                "as administrator (or in the Virtual Network Editor, vmnetcfg.exe):",
                f"{tool} add adapter {name}",
                f"{tool} set vnet {name} addr {subnet.network_address}",
                f"{tool} set vnet {name} mask {subnet.netmask}",
                f"{tool} update adapter {name}",
            ]
        )
    if platform == "darwin":
        place = "/Library/Preferences/VMware Fusion/networking"
        restart = "sudo '/Applications/VMware Fusion.app/Contents/Library/vmnet-cli' --configure"
    else:
        place = "/etc/vmware/networking"
        restart = "sudo vmware-networks --stop; sudo vmware-networks --start"
    return "\n".join(
        [
            f"in {place}:",
            f"answer VNET_{number}_HOSTONLY_SUBNET {subnet.network_address}",
            f"answer VNET_{number}_HOSTONLY_NETMASK {subnet.netmask}",
            f"answer VNET_{number}_NAT no",
            f"answer VNET_{number}_VIRTUAL_ADAPTER yes",
            f"then: {restart}",
        ]
    )


def seeds_missing(source: SeedSource, directory: Path) -> str:
    """Return how to have the seed ISOs."""
    if source is SeedSource.BUILT:
        return "lab seed"
    return f"build the seed ISOs, put them into {directory}, or set seeds.directory in the lab file"


def key_missing(source: SeedSource, key: Path) -> str:
    """Return how to have the SSH key."""
    if source is SeedSource.BUILT:
        return "lab seed"
    return f"put the private key that the seeds were built with at {key}, or set ssh.key in the lab file"


def key_open(platform: str, account: str, key: Path) -> str:
    """Return how to keep others from reading the key; `account` as icacls wants it."""
    if platform == "win32":
        return f'icacls "{key}" /reset\nicacls "{key}" /inheritance:r /grant:r "{account}:F"'
    return f"chmod 600 '{key}'"


def not_writable(platform: str, account: str, directory: Path) -> str:
    """Return how to have a directory that takes files; `account` as icacls wants it."""
    if platform == "win32":
        return f'icacls "{directory}" /grant "{account}:(OI)(CI)M"\nor set vm_directory in the lab file'
    return f"sudo chown \"$USER\" '{directory}'\nor set vm_directory in the lab file"
