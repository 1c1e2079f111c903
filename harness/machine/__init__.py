"""A VM of a run: power, console, SSH session, removal by the ledger.

Entry: `Machine`, `RunContext`, `remove_machine`.
"""
