"""Preflight: collect facts of this host and judge them.

One function collects each fact, and one pure function judges each check.

Entry: `harness.preflight.collect.collect`, `harness.preflight.judge.judge_all`.
"""
