"""The verb table."""

from __future__ import annotations

import importlib

from harness.vmrun_qemu.verbs import VERBS


def test_every_verb_has_its_function_and_makes_sense() -> None:
    for name, verb in VERBS.items():
        module, _, function = verb.target.partition(":")
        imported = importlib.import_module(f"harness.vmrun_qemu.{module}")
        assert callable(getattr(imported, function)), name
        assert verb.min_parameters <= verb.max_parameters, name
