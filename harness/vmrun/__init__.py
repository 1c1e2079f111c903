"""The one way to a hypervisor: `Vmrun` drives any executable that speaks VMware's `vmrun`; failures are in `errors`."""

from harness.vmrun.answers import Display, StopMode, ToolsState, VmrunVersion
from harness.vmrun.call import GuestLogin, RunProgram
from harness.vmrun.driver import CloneKind, Vmrun
from harness.vmrun.networks import HostNetwork, NetworkKind, PortForwarding, Protocol
from harness.vmrun.power import PowerState

__all__ = [
    "CloneKind",
    "Display",
    "GuestLogin",
    "HostNetwork",
    "NetworkKind",
    "PortForwarding",
    "PowerState",
    "Protocol",
    "RunProgram",
    "StopMode",
    "ToolsState",
    "Vmrun",
    "VmrunVersion",
]
