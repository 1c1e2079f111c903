"""The `lab` command, one module per subcommand.

Entry: `harness.cli.main:main`.
"""
