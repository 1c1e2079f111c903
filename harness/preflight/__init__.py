"""Preflight: collect facts of this host and judge them.

One function collects each fact, and one pure function judges each check. Entry: `collect`, `judge_all`.
"""

from harness.preflight.checks import ErrorClass, HostCheck, check_names, error_class
from harness.preflight.collect import collect
from harness.preflight.facts import Fact, HostFacts
from harness.preflight.judge import judge_all

__all__ = ["ErrorClass", "Fact", "HostCheck", "HostFacts", "check_names", "collect", "error_class", "judge_all"]
