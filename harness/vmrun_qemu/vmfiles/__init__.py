"""Files of a VM directory: devices, locks, logs, saved state, snapshot tree."""
