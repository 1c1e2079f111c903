from __future__ import annotations

import subprocess
import sys

import pytest

from harness.cli.main import SUBCOMMANDS, main

from .command_line import run_lab


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_the_first_line_of_its_help_in_the_table(name: str) -> None:
    result = run_lab(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}")
    command = main.get_command(None, name)  # type: ignore[arg-type]  # the context is not used
    assert command is not None
    assert str(command.help).splitlines()[0] == SUBCOMMANDS[name]


def test_the_help_lists_the_subcommands() -> None:
    output = run_lab("--help").output
    for name, summary in SUBCOMMANDS.items():
        assert f"  {name:<10}  {summary}\n" in output
    assert set(SUBCOMMANDS) >= {"setup", "doctor", "plan", "seed", "ssh", "status", "report", "down", "schema"}


def test_an_unknown_subcommand_is_wrong_usage() -> None:
    result = run_lab("statsu")
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_the_help_loads_no_subcommand() -> None:
    """Hence it answers at once: a subcommand loads the lab file's types, the driver, and what else it works with."""
    code = (
        "import sys; from click.testing import CliRunner; from harness.cli.main import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "print(sorted(name for name in sys.modules if name.startswith('harness.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "['harness.cli', 'harness.cli.main', 'harness.system', 'harness.system.stdio']\n"
