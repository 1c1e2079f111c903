"""State of VMs: inventory, power state, recovery after a crash."""
