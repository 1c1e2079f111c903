"""Build and verify an air-gapped k3s lab on VMware Workstation, or on QEMU.

PYTEST_DONT_REWRITE: this package has no assertions, and a session inside another one has imported it already.
"""
