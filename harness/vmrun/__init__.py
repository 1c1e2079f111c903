"""Driver of any `vmrun`: one method per verb, typed results, classified failures.

Entry: `Vmrun`, and `harness.vmrun.discovery.find_hypervisor`. `driver` has the methods, with the verbs by subject in
`power`, `snapshots`, `networks`, `runtime` and `guest`. `invocation` makes one call, `parse*` read its output, and
`error_table` selects one of `errors`.
"""

from harness.system.process import RunProgram
from harness.vmrun.driver import CloneKind, Vmrun
from harness.vmrun.guest import Guest
from harness.vmrun.guest_arguments import StartOptions
from harness.vmrun.invocation import GuestLogin
from harness.vmrun.networks import HostNetwork, NetworkKind, PortForwarding, Protocol, Service
from harness.vmrun.parse import Display, StopMode, ToolsState, VmrunVersion
from harness.vmrun.parse_guest import GuestProcess
from harness.vmrun.paths import GuestPath, GuestStyle
from harness.vmrun.power import PowerState
from harness.vmrun.runtime import Runtime, VariableKind
from harness.vmrun.snapshots import Snapshot, Snapshots, SnapshotTree

__all__ = [
    "CloneKind",
    "Display",
    "Guest",
    "GuestLogin",
    "GuestPath",
    "GuestProcess",
    "GuestStyle",
    "HostNetwork",
    "NetworkKind",
    "PortForwarding",
    "PowerState",
    "Protocol",
    "RunProgram",
    "Runtime",
    "Service",
    "Snapshot",
    "SnapshotTree",
    "Snapshots",
    "StartOptions",
    "StopMode",
    "ToolsState",
    "VariableKind",
    "Vmrun",
    "VmrunVersion",
]
