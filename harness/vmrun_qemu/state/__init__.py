"""State of machines: inventory of running ones, power state, recovery after a crash."""
