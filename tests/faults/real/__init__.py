"""The same faults with a real guest."""
