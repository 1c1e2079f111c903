"""The operating system: processes, signals, ports, disk usage, and Windows.

Entry: `harness.system.process.run`, `HeldPorts`. Each side effect has one module, and tests replace it there.
"""
