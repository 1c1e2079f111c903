"""Shared ground: errors, verdicts, claims, deadlines, secrets and file names.

Entry: `HarnessError`, `Check`, `Verdict`, `Deadline`. A module is here only if three or more packages import it.
"""
