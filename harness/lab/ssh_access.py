"""Write the `ssh_config` of a run."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.layout import RunFiles
from harness.guest.ssh_config import SshHost, known_hosts_text, ssh_config
from harness.machine.machine import Machine


def write_ssh_config(machines: Sequence[Machine], run: RunFiles) -> None:
    """Write `ssh_config` and `known_hosts` for `ssh -F ssh_config <machine>`.

    Raises:
        HostError: The ledger cannot be read.
        OSError: A file cannot be written.
    """
    hosts = [_ssh_host(machine) for machine in machines]
    run.directory.mkdir(parents=True, exist_ok=True)
    run.known_hosts.write_text(known_hosts_text(hosts), encoding="utf-8", newline="\n")
    run.ssh_config.write_text(ssh_config(hosts, run.known_hosts), encoding="utf-8", newline="\n")


def _ssh_host(machine: Machine) -> SshHost:
    plan, context = machine.plan, machine.context
    key = machine.facts.host_key or (machine.iso.host_key if machine.iso else None)
    return SshHost(
        machine.name, plan.endpoint.host, context.port_of(plan), context.plan.spec.ssh.user, context.plan.ssh_key, key
    )
