"""Provision and verify an air-gapped k3s lab."""
