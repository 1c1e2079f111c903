"""Names of the host checks, and the error class of each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class ErrorClass(StrEnum):
    """Class of a host error.

    Every remedy begins with its class in brackets.
    """

    RIGHTS = "rights"
    VMWARE = "VMware"
    NETWORK = "network"
    DISK_SPACE = "disk space"
    ISO = "ISO"
    MEMORY = "memory"
    SSH_KEY = "SSH key"
    LAB = "lab"
    PATHS = "paths"


class HostCheck(StrEnum):
    """Name of a host check; per-machine names contain `{machine}`."""

    RIGHTS = "rights"
    SESSION = "desktop session"
    HYPERVISOR = "hypervisor"
    SERVICE = "VMware service"
    VMRUN = "vmrun answers"
    SEED_DIRECTORY = "seed directory"
    SEED_ISO = "seed ISO of {machine}"
    NETWORK = "network"
    SUBNET = "subnet"
    HOST_ADDRESS = "host address"
    VM_DIRECTORY = "VM directory writable"
    PATHS = "path lengths"
    DISK = "free disk space"
    MEMORY = "free memory"
    K3S_SIZE = "machines large enough for k3s"
    SSH_KEY = "SSH key"
    SSH_KEY_PRIVATE = "SSH key private"
    PORT = "way in to {machine}"
    LAB = "no other lab here"

    @property
    def per_machine(self) -> bool:
        """Whether there is one check per machine."""
        return "{machine}" in self.value

    def of(self, machine: str) -> str:
        """Return the name of this check for a machine."""
        return self.value.format(machine=machine)


_CLASSES = {
    HostCheck.RIGHTS: ErrorClass.RIGHTS,
    HostCheck.SESSION: ErrorClass.RIGHTS,
    HostCheck.HYPERVISOR: ErrorClass.VMWARE,
    HostCheck.SERVICE: ErrorClass.VMWARE,
    HostCheck.VMRUN: ErrorClass.VMWARE,
    HostCheck.SEED_DIRECTORY: ErrorClass.ISO,
    HostCheck.SEED_ISO: ErrorClass.ISO,
    HostCheck.NETWORK: ErrorClass.NETWORK,
    HostCheck.SUBNET: ErrorClass.NETWORK,
    HostCheck.HOST_ADDRESS: ErrorClass.NETWORK,
    HostCheck.VM_DIRECTORY: ErrorClass.RIGHTS,
    HostCheck.PATHS: ErrorClass.PATHS,
    HostCheck.DISK: ErrorClass.DISK_SPACE,
    HostCheck.MEMORY: ErrorClass.MEMORY,
    HostCheck.K3S_SIZE: ErrorClass.LAB,
    HostCheck.SSH_KEY: ErrorClass.SSH_KEY,
    HostCheck.SSH_KEY_PRIVATE: ErrorClass.SSH_KEY,
    HostCheck.PORT: ErrorClass.NETWORK,
    HostCheck.LAB: ErrorClass.LAB,
}


def check_names(machine_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of all checks in the order of judgement."""
    names: list[str] = []
    for check in HostCheck:
        names += [check.of(machine) for machine in machine_names] if check.per_machine else [check.value]
    return tuple(names)


def error_class(name: str) -> ErrorClass:
    """Return the error class of a check.

    Raises:
        KeyError: The name is unknown.
    """
    for check, kind in _CLASSES.items():
        head, _, tail = check.value.partition("{machine}")
        if name == check.value or (check.per_machine and name.startswith(head) and name.endswith(tail)):
            return kind
    raise KeyError(name)
