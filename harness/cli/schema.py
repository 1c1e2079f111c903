"""`lab schema`: the JSON Schema of the lab file."""

from __future__ import annotations

import click

from harness.config.loader import lab_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of the lab file.

    Editors check and complete a lab file by it.
    """
    click.echo(lab_schema(), nl=False)
