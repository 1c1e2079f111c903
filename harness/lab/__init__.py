"""One run of the lab: select it, open it, schedule its machines, close it.

Entry: `Selection`, `open_lab`, `Lab`.
"""
