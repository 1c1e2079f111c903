"""Remedies of the host checks per operating system, as commands to paste.

Each function returns the text that does what its docstring says.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path, PureWindowsPath

from harness.config import SeedSource
from harness.config.loader import EMBEDDED_OVERLAY, WITH_K3S
from harness.config.plan import LabPlan
from harness.preflight.facts import HostFacts
from harness.vmrun.discovery import Kind

_INSTALL = r"C:\Program Files (x86)\VMware\VMware Workstation"  # if the Windows registry names no other folder


def not_in_ledger(plan: LabPlan, machines: Sequence[str]) -> str:
    """Hand the machines over for removal, or move them away."""
    places = ", ".join(str(plan.machine(machine).files.directory) for machine in machines)
    return (
        "the machines are created there, and this lab deletes only what it made; to have them deleted, see what is in "
        f"them and confirm: lab adopt {' '.join(machines)}\nelse move {places} away, or set another vm_directory"
    )


def machine_open() -> str:
    """Close the machine in the program that has it open."""
    return (
        "a machine that another program has open can be neither started nor changed\n"
        "close its tab in the Workstation window, or end the process that is named, then run again; if that process is "
        "no program of VMware, the lock is left over: delete the .lck directory"
    )


def administrator() -> str:
    """Open an administrator's prompt on Windows."""
    return "open the prompt as administrator: Start-Process powershell -Verb RunAs"


def desktop_session() -> str:
    """Run in the session of a desktop's user."""
    return (
        "log on as that user and start it there; for a CI runner, in an administrator's PowerShell of that user:\n"
        'Stop-Service "actions.runner.*"; Get-Service "actions.runner.*" | Set-Service -StartupType Disabled\n'
        ".\\run.cmd"
    )


def daemon_down(platform: str) -> str:
    """Start VMware's service or kernel modules."""
    if platform == "win32":
        return "as administrator: sc.exe config VMAuthdService start= auto; net start VMAuthdService"
    return "sudo vmware-modconfig --console --install-all\nsudo systemctl restart vmware"


def daemon_missing() -> str:
    """Restore the missing service of an installed VMware."""
    return "repair VMware: run its installer again (Settings, Apps, VMware Workstation, Modify, Repair)"


def adapter_missing(platform: str, vmnet: str, subnet: IPv4Network) -> str:
    """Give this host the first address of a network."""
    address, mask = next(subnet.hosts()), subnet.netmask
    if platform == "win32":
        adapter = f"VMware Network Adapter {vmnet}"
        return f'as administrator: netsh interface ipv4 set address name="{adapter}" static {address} {mask}'
    if platform == "darwin":
        return "sudo '/Applications/VMware Fusion.app/Contents/Library/vmnet-cli' --configure"
    return f"sudo vmware-networks --start\nip address show {vmnet.lower()}"


def vmrun_not_answering(kind: Kind, platform: str, vmrun: str) -> str:
    """Make vmrun answer."""
    if kind is Kind.EMBEDDED:
        return f"run it by hand: {vmrun} list\nif QEMU is missing: lab setup --with-deps"
    if platform == "win32":
        return f'as administrator, in PowerShell: net start VMAuthdService\n& "{vmrun}" -T ws list'
    if platform == "darwin":
        return f"open VMware Fusion once and grant the permissions that it requests, then: '{vmrun}' -T fusion list"
    return f"sudo vmware-modconfig --console --install-all\nsudo systemctl restart vmware\n{vmrun} -T ws list"


def version_unknown(facts: HostFacts) -> str:
    """Show the version of vmrun."""
    if facts.platform == "win32":
        return f'in PowerShell: & "{facts.vmrun}"; if its first line has no version, install VMware Workstation again'
    return f"run '{facts.vmrun}' without arguments; if its first line has no version, install VMware again"


def network_missing(plan: LabPlan, facts: HostFacts) -> str:
    """Define the lab's network as host-only with its subnet."""
    wanted, subnet = plan.spec.network, plan.spec.network.subnet
    number = wanted.vmnet.lower().removeprefix("vmnet")
    if facts.kind is Kind.EMBEDDED:
        return "remove the machines that use it; the embedded hypervisor then defines it: " + lab_command("down", plan)
    if facts.platform == "win32":
        return _virtual_network_editor(plan, facts)
    if facts.platform == "darwin":
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


def _virtual_network_editor(plan: LabPlan, facts: HostFacts) -> str:
    """Return the steps on Windows: the editor's window, or commands.

    Some versions of `vnetlib64` print nothing and change nothing, so the window comes first.
    """
    wanted, subnet = plan.spec.network, plan.spec.network.subnet
    name, folder = wanted.vmnet.lower(), _network_editor_folder(facts)
    tool = f'& "{folder}\\vnetlib64.exe" --'
    return "\n".join(
        [
            f'Start-Process -Verb RunAs "{folder}\\vmnetcfg.exe"',
            f"in that window: Change Settings; {wanted.vmnet} (Add Network where it is missing); Host-only; "
            f"Subnet IP {subnet.network_address}, Subnet mask {subnet.netmask}; Apply",
            "or as administrator, in PowerShell (no output is normal):",
            f"{tool} add adapter {name}",
            f"{tool} set vnet {name} addr {subnet.network_address}",
            f"{tool} set vnet {name} mask {subnet.netmask}",
            f"{tool} set adapter {name} addr {next(subnet.hosts())}",
            f"{tool} update adapter {name}",
            f"then run: {lab_command('doctor', plan)}",
        ]
    )


def _network_editor_folder(facts: HostFacts) -> str:
    """Return the folder of the network tools: that of the vmrun in use.

    VIX has a vmrun and no network tools.
    """
    vmrun = PureWindowsPath(facts.vmrun)
    if vmrun.is_absolute() and vmrun.parent.name != "VMware VIX":
        return str(vmrun.parent)
    folders = (item.folder.rstrip("\\") for item in facts.products if item.name != "VMware VIX")
    return next(folders, _INSTALL)


def lab_command(word: str, plan: LabPlan) -> str:
    """Return a `lab` command for this lab that works in any directory."""
    overlay = "" if plan.overlay in (None, EMBEDDED_OVERLAY, WITH_K3S) else f" --overlay {plan.overlay}"
    return f'lab {word} --lab "{plan.lab_file}"{overlay}'


def seeds_missing(plan: LabPlan) -> str:
    """Build or provide the seed ISOs."""
    if plan.spec.seeds.source is not SeedSource.PROVIDED:
        return lab_command("seed", plan)
    return f"build the seed ISOs, put them into {plan.seed_directory}, or set seeds.directory in the lab file"


def key_missing(plan: LabPlan) -> str:
    """Create or provide the SSH key."""
    if plan.spec.seeds.source is not SeedSource.PROVIDED:
        return lab_command("seed", plan)
    return f"put the private key that the seeds were built with at {plan.ssh_key}, or set ssh.key in the lab file"


def key_open(platform: str, account: str, key: Path) -> str:
    """Restrict the key to its owner; `account` in the notation of icacls."""
    if platform == "win32":
        return f'icacls "{key}" /reset\nicacls "{key}" /inheritance:r /grant:r "{account}:F"'
    return f"chmod 600 '{key}'"


def not_writable(platform: str, account: str, directory: Path) -> str:
    """Make a directory writable; `account` in the notation of icacls."""
    if platform == "win32":
        return f'icacls "{directory}" /grant "{account}:(OI)(CI)M"\nor set vm_directory in the lab file'
    return f"sudo chown \"$USER\" '{directory}'\nor set vm_directory in the lab file"
