"""Continuing an earlier run: its history, the decision for each machine, and the continuation.

Entry: `Resumption`, `ResumeMode`.
"""
