"""Evidence of machines: logs, screens, and the cause found in them.

Entry: `Collector`.
"""
