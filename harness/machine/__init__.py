"""One virtual machine of a run: power, console, SSH session, and removal by the ledger.

Entry: `Machine`, `RunContext`, `remove_machine`.
"""
