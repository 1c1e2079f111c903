"""`lab inventory`: the VMs of the newest run for Ansible."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.built_lab import built_lab
from harness.cli.options import report_errors, reports_option, say
from harness.core.errors import UsageError
from harness.core.files import replace_file
from harness.guest.ansible_inventory import inventory as inventory_of
from harness.seed.yaml_text import yaml_text

_SUFFIXES = (".yaml", ".yml")


@click.command()
@reports_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this .yaml file.")
@report_errors
def inventory(reports: Path, output: Path | None) -> None:
    """Write the VMs of the newest run as an Ansible inventory.

    The groups are `master` and `workers`. Address, port, user, key and pinned host keys are those of `lab ssh`. Write
    it again after each run: `ansible all -i FILE -m ping` shows whether it is up to date.
    """
    if output is not None and output.suffix not in _SUFFIXES:
        raise UsageError(
            "Ansible reads a YAML inventory only from a file with that suffix",
            where=str(output),
            remedy=f"give a name that ends in {' or '.join(_SUFFIXES)}",
        )
    lab = built_lab(reports)
    head = f"# Written by `lab inventory`: lab {lab.run.lab}, run {lab.run.run_id}.\n"
    text = head + yaml_text(inventory_of(lab.hosts, lab.roles, lab.files.known_hosts))
    if output is None:
        say(text.rstrip("\n"))
        return
    replace_file(output, text.encode("utf-8"))
    say(str(output))
