"""The lab file: `lab.yaml` as a frozen `LabSpec`, and the plan made of it.

All problems of a lab file are reported at once, each with its line and column.

Entry: `load_lab`, `harness.config.plan.make_plan`.
"""

from harness.config.loader import lab_schema, load_lab
from harness.config.model import LabSpec, MachineSpec, Reach, Role, SeedSource

__all__ = ["LabSpec", "MachineSpec", "Reach", "Role", "SeedSource", "lab_schema", "load_lab"]
