"""Read seed ISOs that others built, as the VM and its installer will.

Entry: `harness.seed.foreign.check.check_seed`.
"""
