"""Preflight: facts of this host, each collected by one function, and their judgement, each by a pure one."""

from harness.preflight.checks import ErrorClass, HostCheck, check_names, error_class
from harness.preflight.collect import collect
from harness.preflight.facts import Fact, HostFacts
from harness.preflight.judge import judge_all

__all__ = ["ErrorClass", "Fact", "HostCheck", "HostFacts", "check_names", "collect", "error_class", "judge_all"]
