"""Evidence of a machine: logs and screens collected from it, and the cause found in them.

Entry: `Collector`.
"""
