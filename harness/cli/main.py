"""The `lab` command: a group whose subcommands are loaded when they are called."""

from __future__ import annotations

from importlib import import_module

import click

from harness.system.stdio import use_utf8_output

# Subcommand -> the first line of its help. The module of that name in this package has the command.
SUBCOMMANDS = {
    "setup": "Prepare this host for the embedded hypervisor.",
    "doctor": "Show which hypervisor is used and why, and check this host.",
    "plan": "Print everything that a run would create.",
    "seed": "Build the seed ISOs: the lab's own, or from Ubuntu's ISO.",
    "status": "Show the VMs and other resources of this lab.",
    "tools": "Show the VMware Tools state of each VM.",
    "down": "Stop and delete the VMs and other resources of this lab.",
    "adopt": "Hand VMs that this lab did not create over to it, for removal.",
    "ssh": "Log in to a VM of the newest run.",
    "inventory": "Write the VMs of the newest run as an Ansible inventory.",
    "kubeconfig": "Fetch the kubeconfig of the lab's cluster.",
    "report": "Write the report of a run again from its journal.",
    "history": "Show the last runs: verdict, duration, required claims proven.",
    "schema": "Print the JSON Schema of the lab file.",
}


class LazyGroup(click.Group):
    """A group that loads the module of a subcommand when it is called.

    `lab --help` loads none.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names of the subcommands, in the order of use."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's)
        """Return the subcommand, or None if there is none of that name."""
        if cmd_name not in SUBCOMMANDS:
            return None
        command = getattr(import_module(f"harness.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101  (a module without its command is a defect)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's)
        """Write the table of subcommands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="airgap-lab-harness")
def main() -> None:
    """Prepare, inspect and remove the lab that `pytest scenarios/` builds and verifies."""
    use_utf8_output()
