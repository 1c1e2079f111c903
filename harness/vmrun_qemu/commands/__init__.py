"""The verbs of `vmrun`, one module per group of VMware's documentation."""
