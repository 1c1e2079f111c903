"""The one way to a hypervisor: `Vmrun` drives any executable that speaks VMware's `vmrun`.

driver                `Vmrun`: one method per verb, and what is known of VMware's
call                  one call: flags, time limits, failures
errors, failures      the classes of failure; which answer is which
answers, guest_answers    what verbs print, as values
power, snapshots, networks, runtime, guest, guest_program     the verbs by subject
paths, locks, log, clones, fresh      what is read beside a VMX, and of files that vmrun writes
"""

from harness.system.process import RunProgram
from harness.vmrun.driver import CloneKind, Vmrun
from harness.vmrun.guest import Guest
from harness.vmrun.guest_arguments import Starting
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
    "Starting",
    "StopMode",
    "ToolsState",
    "VariableKind",
    "Vmrun",
    "VmrunVersion",
]
