"""One run of the lab: select, open, schedule the machines, close.

Entry: `Selection`, `open_lab`, `Lab`, `close_run`.
"""
