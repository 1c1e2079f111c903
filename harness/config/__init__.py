"""The lab file: `lab.yaml` to a frozen `LabSpec`, with every problem at once and at its place."""

from harness.config.loader import lab_schema, load_lab
from harness.config.model import LabSpec, MachineSpec, Reach, Role, SeedSource

__all__ = ["LabSpec", "MachineSpec", "Reach", "Role", "SeedSource", "lab_schema", "load_lab"]
